/** What a hold needs, opened once per test file: its processes, ledger, checker and snapshot folder, all real. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openChecker, type Checker } from '../../../src/check/check.ts'
import { defaultLiveSettings } from '../../../src/config/defaults.ts'
import { startHoldProcesses, type HoldProcesses } from '../../../src/hold/hold-processes.ts'
import {
  hold,
  unbounded,
  type FileRequest,
  type HoldResult,
  type HoldBounds,
  type HoldSettings,
  type TenantConnection,
} from '../../../src/hold/hold.ts'
import type { HoldStep } from '../../../src/hold/record.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event, OpenHold } from '../../../src/model/event.ts'
import { Failure } from '../../../src/model/failure.ts'
import { exitCodeOfResult } from '../../../src/model/failures/exit-of-failure.ts'
import type { Result } from '../../../src/model/result/report.ts'
import type { NonEmpty } from '../../../src/model/result/verdict.ts'
import type { RunContext, RunLimits } from '../../../src/runs/begin/run-context.ts'
import type { Target } from '../../../src/runs/begin/target.ts'
import { runPipeline, type RunTotals } from '../../../src/runs/pipeline.ts'
import type { Demo } from '../service/demo-service.ts'

const settings: HoldSettings = {
  require: 'sealed',
  ttlMs: 5_000,
  drainTimeoutMs: 1_000,
  maxPauseMs: 5_000,
  warmAboveBytes: 8_000_000,
  trustMounts: [],
  live: defaultLiveSettings,
}

export interface HoldOptions {
  readonly settings?: Partial<HoldSettings>
  /** `of`: the tenant, or the bare file. */
  readonly onStep?: (step: HoldStep, of: string) => void
  readonly signal?: AbortSignal
  readonly folder?: string
  readonly roots?: readonly string[]
  readonly processes?: HoldProcesses
  readonly limits?: Partial<RunLimits>
  /** The ledger's disk has no space for these events. */
  readonly unwritten?: (event: Event) => boolean
  /** For a hold alone, outside of a run. */
  readonly bounds?: HoldBounds
  /** Called when a check begins and when it is over. */
  readonly onCheck?: (what: 'begins' | 'is over') => void
}

export interface RunOutcome extends RunTotals {
  readonly results: readonly Result[]
  /** The holds of this run that the ledger still calls open. */
  readonly open: readonly OpenHold[]
}

export interface ExaminedTenant extends Omit<RunOutcome, 'results'> {
  /** Null if the run was stopped before there was one. */
  readonly result: Result | null
  /** The exit code of a run with this result alone. */
  readonly exitCode: number | null
}

export interface HoldFixture extends AsyncDisposable {
  readonly processes: HoldProcesses
  readonly ledger: Ledger
  readonly checker: Checker
  readonly home: string
  /** The snapshot folder. */
  readonly folder: string
  /** A hold of a tenant of the demo service. */
  holdTenant(demo: Demo, tenant: string, options?: HoldOptions): Promise<HoldResult>
  hold(named: string, connection: TenantConnection | null, options?: HoldOptions): Promise<HoldResult>
  /** Several files of one tenant, in one hold. */
  holdAll(
    named: NonEmpty<string>,
    connection: TenantConnection | null,
    options?: HoldOptions,
  ): Promise<readonly HoldResult[]>
  holdBare(named: string, options?: HoldOptions): Promise<HoldResult>
  /** Hold, check and verdict of one tenant, as in a run; `named` replaces its file. */
  examine(demo: Demo, tenant: string, options?: HoldOptions & { readonly named?: string }): Promise<ExaminedTenant>
  examineBare(named: string, options?: HoldOptions): Promise<ExaminedTenant>
  /** Several tenants in this order, one of them paused at a time. */
  examineAll(demo: Demo, tenants: readonly string[], options?: HoldOptions): Promise<RunOutcome>
  /** What is left in the snapshot folder: nothing, once all is over. */
  remainingFiles(): readonly string[]
}

let names = 0

/** @param options.parallel how many checks run in parallel */
export async function openHoldFixture({ parallel = 1 }: { readonly parallel?: number } = {}): Promise<HoldFixture> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-hold-'))
  const folder = join(home, 'snapshots')
  mkdirSync(folder, { mode: 0o700 })
  const processes = await startHoldProcesses()
  const ledger = await openLedger(join(home, 'ledger'), newRunId())
  const checker = await openChecker({
    folder: join(home, 'sandboxes'),
    parallel,
    engine: 'census',
    timeoutMs: 60_000,
    memoryBytesMax: 1e9,
    niceness: 0,
  })

  const fileRequest = (named: string, connection: TenantConnection | null, options: HoldOptions): FileRequest => ({
    named,
    expected: connection !== null,
    abandonedPauseMs: null,
    name: `hold-${names++}`,
    onStep: (step) => options.onStep?.(step, connection?.tenant ?? named),
  })
  const holdFiles = (
    [first, ...more]: NonEmpty<string>,
    connection: TenantConnection | null,
    options: HoldOptions,
  ): Promise<readonly HoldResult[]> =>
    hold(
      {
        files: [
          fileRequest(first, connection, options),
          ...more.map((named) => fileRequest(named, connection, options)),
        ],
        connection,
        roots: options.roots ?? null,
        settings: { ...settings, ...options.settings },
        folder: options.folder ?? folder,
        bounds: options.bounds ?? unbounded,
      },
      options.processes ?? processes,
      options.signal ?? forever,
    )
  const holdFile = async (
    named: string,
    connection: TenantConnection | null,
    options: HoldOptions,
  ): Promise<HoldResult> => {
    const [held] = await holdFiles([named], connection, options)
    if (held === undefined) throw new Error('a hold has an outcome for each file')
    return held
  }
  const connectionTo = (demo: Demo, tenant: string, used: Ledger = ledger): TenantConnection => ({
    tenant: tenantId(tenant),
    service: demo.service,
    ledger: used,
    socket: demo.socket,
    permit: null,
    onRetry: () => undefined,
  })
  const forever = new AbortController().signal
  const examineTargets = async (
    targets: readonly Target[],
    demo: Demo | null,
    options: HoldOptions,
  ): Promise<RunOutcome> => {
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
    const context: RunContext = {
      holdProcesses: options.processes ?? processes,
      checker: watchedChecker(checker, options),
      folder: options.folder ?? folder,
      ledger,
      harm: null,
      accept: [],
      invariants: [],
      sampleShare: null,
      map: false,
      keepSnapshot: null,
      rehearsing: null,
      backups: null,
      roots: options.roots ?? null,
      settings: { ...settings, ...options.settings },
      levelFor: () => options.settings?.require ?? settings.require,
      onStep: ({ tenant, named }, step) => options.onStep?.(step, tenant ?? named),
      listsDatabases: true,
      connectionOf: ({ tenant }) => (demo === null || tenant === null ? null : connectionTo(demo, tenant, watched)),
    }
    const limits = {
      depth: 'full',
      mayBegin: () => true,
      leadingTargets: 0,
      maxPaused: 1,
      besidePaused: 2,
      checksInParallel: 1,
      snapshotsMax: 2,
      snapshotBytesMax: 1e9,
      ...options.limits,
    } as const
    const worked = await runPipeline(
      targets,
      context,
      limits,
      { onResult: (result) => results.push(result), onRevised: () => {}, onProgress: () => {} },
      options.signal ?? forever,
    )
    const open = (await ledger.openHolds()).filter(({ holder }) => holders.has(holder))
    return { ...worked, results, open }
  }
  const examineTarget = async (target: Target, demo: Demo | null, options: HoldOptions): Promise<ExaminedTenant> => {
    const { results, ...rest } = await examineTargets([target], demo, options)
    const result = results[0] ?? null
    return { ...rest, result, exitCode: result === null ? null : exitCodeOfResult(result) }
  }

  return {
    processes,
    ledger,
    checker,
    home,
    folder,
    holdTenant: (demo, tenant, options = {}) => holdFile(demo.fileOf(tenant), connectionTo(demo, tenant), options),
    hold: (named, connection, options = {}) => holdFile(named, connection, options),
    holdAll: (named, connection, options = {}) => holdFiles(named, connection, options),
    holdBare: (named, options = {}) => holdFile(named, null, options),
    examine: (demo, tenant, options = {}) =>
      examineTarget({ tenant: tenantId(tenant), named: options.named ?? demo.fileOf(tenant) }, demo, options),
    examineBare: (named, options = {}) => examineTarget({ tenant: null, named }, null, options),
    examineAll: (demo, tenants, options = {}) =>
      examineTargets(
        tenants.map((tenant) => ({ tenant: tenantId(tenant), named: demo.fileOf(tenant) })),
        demo,
        options,
      ),
    remainingFiles: () => readdirSync(folder),
    async [Symbol.asyncDispose]() {
      await checker[Symbol.asyncDispose]()
      await ledger[Symbol.asyncDispose]()
      await processes[Symbol.asyncDispose]()
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
