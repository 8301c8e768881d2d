/** How long tenants stand still, by the service's clock, for each kind of tenant and each size. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultHoldSettings, defaultLiveSettings } from '../../src/config/defaults.ts'
import { startHoldProcesses, type HoldProcesses } from '../../src/hold/hold-processes.ts'
import { hold, unbounded, type HoldSettings } from '../../src/hold/hold.ts'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import { invariant } from '../../src/model/bug.ts'
import { connectService } from '../../src/service/connect.ts'
import { measureAlternatives, type AlternativeFigures } from './alternatives.ts'
import { makeBenchTenant } from './databases.ts'
import { HoldMeasurements, type HoldFigures } from './hold-figures.ts'
import { startService, type BenchService } from './service-process.ts'
import { formatBytes, spreadOf, type Spread } from './units.ts'
import { mountXfs, whyNoXfs, type Workspace } from './workspace.ts'

/**
 * `wal`: copied before the pause. `reflink`: a rollback journal on xfs, which shares the blocks. `rollback`: a rollback
 * journal, copied in the pause.
 */
export const pauseKinds = ['wal', 'reflink', 'rollback'] as const
export type PauseKind = (typeof pauseKinds)[number]

export interface PauseBenchOptions {
  readonly sizes: readonly number[]
  readonly kinds: readonly PauseKind[]
  readonly holds: number
  readonly perSecond: number
  readonly alternatives: boolean
}

export interface TenantFigures extends HoldFigures {
  readonly kind: PauseKind
  readonly bytes: number
  /** Milliseconds of the service's transactions: before the first hold, and during the holds. */
  readonly transactionsBefore: Spread
  readonly transactionsDuring: Spread
  readonly alternatives: readonly AlternativeFigures[]
}

export interface PauseFigures {
  readonly perSecond: number
  readonly tenants: readonly TenantFigures[]
  /** Each with the reason. */
  readonly notMeasured: readonly string[]
}

export async function measurePauses(workspace: Workspace, options: PauseBenchOptions): Promise<PauseFigures> {
  const tenants: TenantFigures[] = []
  const notMeasured: string[] = []
  await using processes = await startHoldProcesses()
  for (const kind of options.kinds) {
    const why = kind === 'reflink' ? whyNoXfs() : null
    if (why !== null) notMeasured.push(`${kind}: ${why}`)
    else {
      for (const bytes of options.sizes) {
        if (workspace.hasTime) tenants.push(await measureTenant(workspace, processes, kind, bytes, options))
        else notMeasured.push(`${kind} ${formatBytes(bytes)}: no time was left (--seconds)`)
      }
    }
  }
  return { perSecond: options.perSecond, tenants, notMeasured }
}

const tenant = 'tenant'
const quietMs = 2_000
/** Limits that the slowest hold does not reach. */
const settings: HoldSettings = {
  ...defaultHoldSettings,
  require: 'sealed',
  live: defaultLiveSettings,
  maxPauseMs: 50_000,
  ttlMs: 60_000,
  trustMounts: [],
}

async function measureTenant(
  workspace: Workspace,
  processes: HoldProcesses,
  kind: PauseKind,
  bytes: number,
  options: PauseBenchOptions,
): Promise<TenantFigures> {
  workspace.report(`${kind}, ${formatBytes(bytes)}: making the tenant`)
  using measured = makeMeasuredFolder(workspace, kind, bytes)
  const files = join(measured.folder, 'files')
  const file = join(files, `${tenant}.db`)
  mkdirSync(files)
  makeBenchTenant(file, bytes, kind === 'wal' ? 'wal' : 'delete')
  await using service = await startService(files, join(workspace.folder, 'admin.sock'))
  await service.load(tenant, options.perSecond)
  await wait(quietMs, workspace.signal)
  await service.figures()
  await wait(quietMs, workspace.signal)
  const before = await service.figures()

  workspace.report(`${kind}, ${formatBytes(bytes)}: ${options.holds} holds`)
  const held = await holdRepeatedly(workspace, processes, service, measured.folder, file, options.holds)
  const during = await service.figures()

  if (options.alternatives && workspace.hasTime) workspace.report(`${kind}, ${formatBytes(bytes)}: other ways to copy`)
  const alternatives = options.alternatives
    ? await measureAlternatives(workspace, service, file, join(measured.folder, 'copy.db'))
    : []
  return {
    kind,
    bytes,
    ...held,
    transactionsBefore: spreadOf(before.latencies),
    transactionsDuring: spreadOf(during.latencies),
    alternatives,
  }
}

interface MeasuredFolder extends Disposable {
  readonly folder: string
}

let folders = 0

/** Holds the tenant and its snapshots: files share blocks only within one file system. */
function makeMeasuredFolder(workspace: Workspace, kind: PauseKind, bytes: number): MeasuredFolder {
  const name = `measured-${folders++}`
  if (kind === 'reflink') return mountXfs(workspace, name, bytes * 4 + 200_000_000)
  const folder = join(workspace.folder, name)
  mkdirSync(folder)
  return { folder, [Symbol.dispose]: () => undefined }
}

/** Holds the tenant as a sweep does, with a ledger. Each snapshot is hashed and removed. */
async function holdRepeatedly(
  workspace: Workspace,
  processes: HoldProcesses,
  { socket }: BenchService,
  folder: string,
  file: string,
  holds: number,
): Promise<HoldFigures> {
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
  const measurements = new HoldMeasurements()
  for (let at = 0; at < holds && workspace.hasTime; at++) {
    const onStep = measurements.startHold()
    const [result] = await hold(
      {
        files: [{ named: file, expected: true, abandonedPauseMs: null, name: `hold-${at}`, onStep }],
        roots: [folder],
        connection: { tenant: tenantId(tenant), service, ledger, socket, permit: null, onRetry: () => undefined },
        settings,
        folder: snapshots,
        bounds: unbounded,
      },
      processes,
      workspace.signal,
    )
    invariant(result, 'a hold has an outcome for each file')
    measurements.endHold(result)
    if (result.kind !== 'snapshot') continue
    await result.snapshot[Symbol.asyncDispose]()
    // At random, so that holds do not keep step with the load or its checkpoints.
    await wait(50 + Math.random() * 150, workspace.signal)
  }
  return measurements.figures()
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
