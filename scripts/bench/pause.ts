/** Pauses, measured at the service (issue: "Pause, measured at the service"), for each kind of tenant and each size. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultHoldSettings } from '../../src/config/defaults.ts'
import { startHoldProcesses, type HoldProcesses } from '../../src/hold/hold-processes.ts'
import { hold, unbounded, type HoldSettings } from '../../src/hold/hold.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import { invariant } from '../../src/model/bug.ts'
import { connectService } from '../../src/service/connect.ts'
import { measureRivals, type RivalFigures } from './alternatives.ts'
import { makeDatabase } from './databases.ts'
import { startService, type BenchService } from './service-process.ts'
import { bytesText, spreadOf, type Spread } from './units.ts'
import { mountXfs, whyNoXfs, type Workplace } from './workplace.ts'

/**
 * `wal`: warm copy. `reflink`: rollback journal on xfs with shared blocks. `rollback`: rollback journal, copied in the
 * pause.
 */
export const pauseKinds = ['wal', 'reflink', 'rollback'] as const
export type PauseKind = (typeof pauseKinds)[number]

export interface PauseOptions {
  readonly sizes: readonly number[]
  readonly kinds: readonly PauseKind[]
  readonly holds: number
  readonly perSecond: number
  readonly rivals: boolean
}

export interface TenantFigures {
  readonly kind: PauseKind
  readonly bytes: number
  readonly method: string
  /** By the service's clock, from quiesced to active. */
  readonly heldMs: Spread
  /** As holdfast saw it, from its request on: draining and closing included. */
  readonly pauseMs: Spread
  readonly predictedMs: Spread
  /** Held by predicted, each hold by its own prediction. */
  readonly heldByPredicted: Spread
  readonly warmMs: Spread
  readonly tailBytes: Spread
  /** Milliseconds of each step, its median and its longest. */
  readonly steps: readonly { readonly step: HoldStep; readonly ms: Spread }[]
  readonly failures: readonly string[]
  /** Of the service's transactions: undisturbed, and while the holds went on. */
  readonly transactionsBefore: Spread
  readonly transactionsDuring: Spread
  readonly rivals: readonly RivalFigures[]
}

export interface PauseFigures {
  readonly perSecond: number
  readonly tenants: readonly TenantFigures[]
  /** What was not measured, and why. */
  readonly leftOut: readonly string[]
}

export async function measurePauses(workplace: Workplace, options: PauseOptions): Promise<PauseFigures> {
  const tenants: TenantFigures[] = []
  const leftOut: string[] = []
  await using companions = await startHoldProcesses()
  for (const kind of options.kinds) {
    const why = kind === 'reflink' ? whyNoXfs() : null
    if (why !== null) leftOut.push(`${kind}: ${why}`)
    else {
      for (const bytes of options.sizes) {
        if (workplace.hasTime) tenants.push(await measureTenant(workplace, companions, kind, bytes, options))
        else leftOut.push(`${kind} ${bytesText(bytes)}: the time was over (--seconds)`)
      }
    }
  }
  return { perSecond: options.perSecond, tenants, leftOut }
}

const tenant = 'tenant'
const quietMs = 2_000
/** Long enough for the slowest: how long it takes is what is measured. */
const settings: HoldSettings = { ...defaultHoldSettings, maxPauseMs: 50_000, ttlMs: 60_000, trustMounts: [] }

async function measureTenant(
  workplace: Workplace,
  companions: HoldProcesses,
  kind: PauseKind,
  bytes: number,
  options: PauseOptions,
): Promise<TenantFigures> {
  workplace.tell(`${kind}, ${bytesText(bytes)}: making the tenant`)
  using place = placeFor(workplace, kind, bytes)
  const files = join(place.folder, 'files')
  const file = join(files, `${tenant}.db`)
  mkdirSync(files)
  makeDatabase(file, bytes, kind === 'wal' ? 'wal' : 'delete')
  await using service = await startService(files, join(workplace.folder, 'admin.sock'))
  await service.load(tenant, options.perSecond)
  await wait(quietMs, workplace.signal)
  await service.figures()
  await wait(quietMs, workplace.signal)
  const before = await service.figures()

  workplace.tell(`${kind}, ${bytesText(bytes)}: ${options.holds} holds`)
  const held = await holdAgainAndAgain(workplace, companions, service, place.folder, file, options.holds)
  const during = await service.figures()

  if (options.rivals && workplace.hasTime) workplace.tell(`${kind}, ${bytesText(bytes)}: the rivals`)
  const rivals = options.rivals ? await measureRivals(workplace, service, file, join(place.folder, 'rival.db')) : []
  return {
    kind,
    bytes,
    ...held,
    transactionsBefore: spreadOf(before.latencies),
    transactionsDuring: spreadOf(during.latencies),
    rivals,
  }
}

interface Place extends Disposable {
  readonly folder: string
}

let places = 0

/** For shared blocks the snapshots must lie on the same file system. */
function placeFor(workplace: Workplace, kind: PauseKind, bytes: number): Place {
  const name = `place-${places++}`
  if (kind === 'reflink') return mountXfs(workplace, name, bytes * 4 + 200_000_000)
  const folder = join(workplace.folder, name)
  mkdirSync(folder)
  return { folder, [Symbol.dispose]: () => undefined }
}

type Held = Pick<
  TenantFigures,
  'method' | 'heldMs' | 'pauseMs' | 'predictedMs' | 'heldByPredicted' | 'warmMs' | 'tailBytes' | 'steps' | 'failures'
>

/** Each hold as a sweep makes it, ledger and all; the snapshot is hashed and thrown away. */
async function holdAgainAndAgain(
  workplace: Workplace,
  companions: HoldProcesses,
  { socket }: BenchService,
  folder: string,
  file: string,
  holds: number,
): Promise<Held> {
  const snapshots = join(folder, 'snapshots')
  mkdirSync(snapshots, { recursive: true, mode: 0o700 })
  await using service = await connectService({
    kind: 'admin-api',
    name: 'bench',
    endpoint: { kind: 'unix', socket },
    tokenFile: null,
    caFile: null,
    requestTimeoutMs: 5_000,
  })
  await using ledger = await openLedger(join(folder, 'ledger'), newRunId())
  const seen = {
    held: [] as number[],
    pause: [] as number[],
    predicted: [] as number[],
    ratio: [] as number[],
    warm: [] as number[],
    tail: [] as number[],
  }
  const steps = new Map<HoldStep, number[]>()
  const failures: string[] = []
  let method = ''
  for (let at = 0; at < holds && workplace.hasTime; at++) {
    let last = performance.now()
    const onStep = (step: HoldStep): void => {
      const now = performance.now()
      steps.set(step, [...(steps.get(step) ?? []), now - last])
      last = now
    }
    const [result] = await hold(
      {
        files: [{ named: file, expected: true, abandonedPauseMs: null, name: `hold-${at}`, onStep }],
        roots: [folder],
        connection: { tenant: tenantId(tenant), service, ledger, socket, onRetry: () => undefined },
        settings,
        folder: snapshots,
        bounds: unbounded,
      },
      companions,
      workplace.signal,
    )
    invariant(result, 'a hold has an outcome for each file')
    if (result.kind !== 'snapshot') {
      failures.push(`${result.failure.code}: ${result.failure.message}`)
      continue
    }
    await result.snapshot[Symbol.asyncDispose]()
    const { evidence, timings } = result.record
    method = evidence.snapshot?.method ?? ''
    push(seen.held, evidence.quiesce?.heldMs)
    push(seen.pause, timings.pauseMs)
    push(seen.predicted, timings.predictedPauseMs)
    push(seen.warm, timings.warmMs)
    push(seen.tail, evidence.snapshot?.tailBytes)
    if (timings.predictedPauseMs !== null && typeof evidence.quiesce?.heldMs === 'number')
      seen.ratio.push(evidence.quiesce.heldMs / timings.predictedPauseMs)
    // Not in step with the load, nor with its checkpoints.
    await wait(50 + Math.random() * 150, workplace.signal)
  }
  return {
    method,
    failures,
    heldMs: spreadOf(seen.held),
    pauseMs: spreadOf(seen.pause),
    predictedMs: spreadOf(seen.predicted),
    heldByPredicted: spreadOf(seen.ratio),
    warmMs: spreadOf(seen.warm),
    tailBytes: spreadOf(seen.tail),
    steps: [...steps].map(([step, ms]) => ({ step, ms: spreadOf(ms) })),
  }
}

function push(values: number[], value: number | null | undefined): void {
  if (typeof value === 'number') values.push(value)
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      },
      { once: true },
    )
  })
}
