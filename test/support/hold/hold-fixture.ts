/** What a hold works with, opened once per test file: companions, ledger, checker and a snapshot folder, all real. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openChecker, type Checker } from '../../../src/check/check.ts'
import { workThrough, type RunTotals } from '../../../src/fleet/pipeline.ts'
import type { RunContext, RunLimits, Target } from '../../../src/fleet/run/run-context.ts'
import { startHoldProcesses, type HoldProcesses } from '../../../src/hold/hold-processes.ts'
import {
  hold,
  unbounded,
  type FileRequest,
  type Held,
  type HoldBounds,
  type HoldRequest,
  type HoldSettings,
} from '../../../src/hold/hold.ts'
import type { HoldStep } from '../../../src/hold/record.ts'
import { openLedger, type Ledger } from '../../../src/ledger/ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event, OpenHold } from '../../../src/model/event.ts'
import { exitCodeOfResult } from '../../../src/model/failure-exit.ts'
import { Failure } from '../../../src/model/failure.ts'
import type { Result } from '../../../src/model/result/report.ts'
import type { NonEmpty } from '../../../src/model/result/verdict.ts'
import type { Demo } from '../service/demo-service.ts'

export const settings: HoldSettings = {
  require: 'sealed',
  ttlMs: 5_000,
  drainTimeoutMs: 1_000,
  maxPauseMs: 5_000,
  warmAboveBytes: 8_000_000,
  trustMounts: [],
}

export interface HoldOptions {
  readonly settings?: Partial<HoldSettings>
  /** `of`: the tenant, or the file of nobody. */
  readonly onStep?: (step: HoldStep, of: string) => void
  readonly signal?: AbortSignal
  readonly folder?: string
  readonly roots?: readonly string[]
  readonly companions?: HoldProcesses
  readonly limits?: Partial<RunLimits>
  /** Of these events the ledger's disk has no room. */
  readonly unwritten?: (event: Event) => boolean
  /** For a hold by itself. */
  readonly bounds?: HoldBounds
  /** Told of each check when it begins and when it is over. */
  readonly onCheck?: (what: 'begins' | 'is over') => void
}

export interface Through extends RunTotals {
  readonly results: readonly Result[]
  /** What the ledger still calls open of the holds that were asked for here. */
  readonly open: readonly OpenHold[]
}

export interface Examined extends Omit<Through, 'results'> {
  /** null when the line was stopped before there was one. */
  readonly result: Result | null
  /** By interfaces.md, of this result alone. */
  readonly exitCode: number | null
}

export interface Workplace extends AsyncDisposable {
  readonly companions: HoldProcesses
  readonly ledger: Ledger
  readonly checker: Checker
  readonly home: string
  /** The snapshot folder. */
  readonly folder: string
  /** A hold of a tenant of the demo service. */
  holdTenant(demo: Demo, tenant: string, options?: HoldOptions): Promise<Held>
  hold(named: string, keeper: HoldRequest['keeper'], options?: HoldOptions): Promise<Held>
  /** Several files of one tenant, in one hold. */
  holdAll(named: NonEmpty<string>, keeper: HoldRequest['keeper'], options?: HoldOptions): Promise<readonly Held[]>
  holdBare(named: string, options?: HoldOptions): Promise<Held>
  /** Hold, check and verdict of one tenant, as a run has them; `named` overrides its file. */
  examine(demo: Demo, tenant: string, options?: HoldOptions & { readonly named?: string }): Promise<Examined>
  examineBare(named: string, options?: HoldOptions): Promise<Examined>
  /** Several tenants in this order, one of them paused at a time. */
  examineAll(demo: Demo, tenants: readonly string[], options?: HoldOptions): Promise<Through>
  /** What lies in the snapshot folder and is no room of the checker: nothing, once all is over. */
  leftovers(): readonly string[]
}

let names = 0

/** @param options.parallel checks at once */
export async function openWorkplace({ parallel = 1 }: { readonly parallel?: number } = {}): Promise<Workplace> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-hold-'))
  const folder = join(home, 'snapshots')
  mkdirSync(folder, { mode: 0o700 })
  const companions = await startHoldProcesses()
  const ledger = await openLedger(join(home, 'ledger'), newRunId())
  const checker = await openChecker({
    folder: join(home, 'rooms'),
    parallel,
    engine: 'census',
    timeoutMs: 60_000,
    memoryBytesMax: 1e9,
    niceness: 0,
  })

  const fileRequest = (named: string, keeper: HoldRequest['keeper'], options: HoldOptions): FileRequest => ({
    named,
    expected: keeper.kind === 'service',
    lostPauseMs: null,
    name: `hold-${names++}`,
    onStep: (step) => options.onStep?.(step, keeper.kind === 'service' ? keeper.tenant : named),
  })
  const holdFiles = (
    [first, ...more]: NonEmpty<string>,
    keeper: HoldRequest['keeper'],
    options: HoldOptions,
  ): Promise<readonly Held[]> =>
    hold(
      {
        files: [fileRequest(first, keeper, options), ...more.map((named) => fileRequest(named, keeper, options))],
        keeper,
        roots: options.roots ?? null,
        settings: { ...settings, ...options.settings },
        folder: options.folder ?? folder,
        bounds: options.bounds ?? unbounded,
      },
      options.companions ?? companions,
      options.signal ?? forever,
    )
  const holdFile = async (named: string, keeper: HoldRequest['keeper'], options: HoldOptions): Promise<Held> => {
    const [held] = await holdFiles([named], keeper, options)
    if (held === undefined) throw new Error('a hold has an outcome for each file')
    return held
  }
  const keeperOf = (demo: Demo, tenant: string, used: Ledger = ledger): HoldRequest['keeper'] => ({
    kind: 'service',
    tenant: tenantId(tenant),
    service: demo.service,
    ledger: used,
    socket: demo.socket,
  })
  const forever = new AbortController().signal
  const examineTargets = async (
    targets: readonly Target[],
    demo: Demo | null,
    options: HoldOptions,
  ): Promise<Through> => {
    const holders = new Set<string>()
    const watched: Ledger = Object.assign(Object.create(ledger) as Ledger, {
      append: (event: Event) => {
        if (event.kind === 'hold-asked') holders.add(event.holder)
        return options.unwritten?.(event)
          ? Promise.reject(new Failure('LEDGER_UNUSABLE', 'database or disk is full'))
          : ledger.append(event)
      },
      appendSoon: (event: Event) => ledger.appendSoon(event),
    })
    const results: Result[] = []
    const crew: RunContext = {
      holdProcesses: options.companions ?? companions,
      checker: watchedChecker(checker, options),
      folder: options.folder ?? folder,
      ledger,
      accept: [],
      map: false,
      keepSnapshot: null,
      roots: options.roots ?? null,
      settings: { ...settings, ...options.settings },
      onStep: ({ tenant, named }, step) => options.onStep?.(step, tenant ?? named),
      connectionOf: ({ tenant }) =>
        demo === null || tenant === null ? { kind: 'nobody' } : keeperOf(demo, tenant, watched),
    }
    const limits = {
      depth: 'full',
      leading: 0,
      maxPaused: 1,
      besidePaused: 2,
      checksInParallel: 1,
      snapshotsMax: 2,
      snapshotBytesMax: 1e9,
      ...options.limits,
    } as const
    const worked = await workThrough(
      targets,
      crew,
      limits,
      { onResult: (result) => results.push(result), onProgress: () => {} },
      options.signal ?? forever,
    )
    const open = (await ledger.openHolds()).filter(({ holder }) => holders.has(holder))
    return { ...worked, results, open }
  }
  const examineTarget = async (target: Target, demo: Demo | null, options: HoldOptions): Promise<Examined> => {
    const { results, ...rest } = await examineTargets([target], demo, options)
    const result = results[0] ?? null
    return { ...rest, result, exitCode: result === null ? null : exitCodeOfResult(result) }
  }

  return {
    companions,
    ledger,
    checker,
    home,
    folder,
    holdTenant: (demo, tenant, options = {}) => holdFile(demo.fileOf(tenant), keeperOf(demo, tenant), options),
    hold: (named, keeper, options = {}) => holdFile(named, keeper, options),
    holdAll: (named, keeper, options = {}) => holdFiles(named, keeper, options),
    holdBare: (named, options = {}) => holdFile(named, { kind: 'nobody' }, options),
    examine: (demo, tenant, options = {}) =>
      examineTarget({ tenant: tenantId(tenant), named: options.named ?? demo.fileOf(tenant) }, demo, options),
    examineBare: (named, options = {}) => examineTarget({ tenant: null, named }, null, options),
    examineAll: (demo, tenants, options = {}) =>
      examineTargets(
        tenants.map((tenant) => ({ tenant: tenantId(tenant), named: demo.fileOf(tenant) })),
        demo,
        options,
      ),
    leftovers: () => readdirSync(folder),
    async [Symbol.asyncDispose]() {
      await checker[Symbol.asyncDispose]()
      await ledger[Symbol.asyncDispose]()
      await companions[Symbol.asyncDispose]()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

const watchedChecker = (checker: Checker, { onCheck }: HoldOptions): Checker =>
  Object.assign(Object.create(checker) as Checker, {
    check: async (...asked: Parameters<Checker['check']>) => {
      onCheck?.('begins')
      try {
        return await checker.check(...asked)
      } finally {
        onCheck?.('is over')
      }
    },
  })
