/** A run against a configured service: what must stand before the first tenant is touched, in this order. */

import { statfs } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { openChecker } from '../../check/check.ts'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { beginHoldProcesses } from '../../hold/hold-processes.ts'
import type { TenantKeeper } from '../../hold/hold.ts'
import { requireAnyRoot } from '../../hold/live/live-path.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { givenMask } from '../../host/process/file-mask.ts'
import { leftBehind } from '../../ledger/at-work.ts'
import { openLedger, type Ledger } from '../../ledger/ledger.ts'
import { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import type { RunLock } from '../../ledger/run-lock/run-lock.ts'
import { waitForRun, type RunWait } from '../../ledger/run-lock/wait-for-run.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { Engine } from '../../model/result/reading.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { connectService } from '../../service/connect.ts'
import type { CommandObserver, Service } from '../../service/port.ts'
import { requireAllResumed, resumeOpenHolds, type OpenHoldOutcome, type ResumeCare } from '../open-holds/open-holds.ts'
import { resumeTenants } from '../open-holds/resume-tenants.ts'
import type { RunContext, RunLimits, Target } from './run-context.ts'

export interface RunOptions {
  readonly run: RunId
  readonly mode: 'check' | 'sweep' | 'pull' | 'compare'
  readonly version: string
  /** Arguments of the command line, for the ledger. */
  readonly argv: readonly string[]
  readonly interrupt: AbortSignal
  /** For another run to end; null: not at all. */
  readonly waiting: RunWait | null
  /** Told of the holds that an earlier run left open, and how they ended. */
  readonly onEndings: (endings: readonly OpenHoldOutcome[]) => void
  /** Told of holds in the ledger that are not this service's to end, or not in this way. */
  readonly onOthers: (others: readonly OtherHold[], config: string) => void
  /** Told what has to be said of the ledger itself. */
  readonly onNotice: (notice: string) => void
  readonly onStep: RunContext['onStep']
  readonly keepSnapshot: RunContext['keepSnapshot']
  /** What compares rows with index entries. */
  readonly engine: Engine
  readonly map: boolean
  /** Whether findings tell what index entries hold beside keys. */
  readonly showValues: boolean
}

export interface ServiceRun {
  readonly settings: Settings
  readonly service: Service
  readonly ledger: Ledger
  readonly context: RunContext
  /** Aborts when the person interrupts, or when the run lock is lost. */
  readonly signal: AbortSignal
}

/**
 * Opens a run, works, and closes it again. Holds that a crash left open are resumed first.
 * @throws {Failure} PLATFORM_UNSUPPORTED, RUN_ACTIVE, LEDGER_UNUSABLE, SNAPSHOT_UNSAFE, ADMIN_UNREACHABLE,
 * RESUME_FAILED, GUARDIAN_LOST, CANNOT_CONFINE,
 *   CONFIG_INVALID where no root exists
 */
export async function withServiceRun<Value>(
  settings: Settings,
  opening: RunOptions,
  work: (run: ServiceRun) => Promise<Value>,
): Promise<Value> {
  // They start while the lock is taken and the ledger opened, as the checker's child does while the service is asked;
  // and may outlive the lock, for they hold nothing.
  await using companions = await beginHoldProcesses({
    settings: settings.service,
    way: wayOf(settings),
    ledgerDir: settings.ledger.dir,
    run: opening.run,
    env: { ...process.env },
    fileMask: givenMask(),
  })
  const { guardian } = companions
  await using opened = await openOrResume(settings, opening, (tenant, news) => guardian.tellCommand(tenant, news))
  return await withLedger(
    opened,
    settings,
    opening,
    (hold) => guardian.guard(hold),
    async (ledger, service, signal) => {
      await using ours = await openSnapshotFolder(settings.snapshots.dir, null)
      const folder = ours.path
      await using checker = await openChecker({
        ...checkLimits(settings),
        engine: opening.engine,
        showValues: opening.showValues,
        folder,
        parallel: checksInParallel(settings),
      })
      await companions.ready()
      await checker.ready()
      const crew: RunContext = {
        holdProcesses: companions,
        checker,
        folder,
        ledger,
        roots: settings.tenants.roots,
        accept: settings.check.accept,
        map: opening.map,
        onStep: opening.onStep,
        keepSnapshot: opening.keepSnapshot,
        settings: { ...settings.hold, trustMounts: settings.tenants.trustMounts },
        connectionOf: (target) => keeperOf(target, settings, service, ledger),
      }
      return await work({ settings, service, ledger, context: crew, signal })
    },
  )
}

interface OpenedRun extends AsyncDisposable {
  readonly lock: RunLock
  readonly ledger: Ledger
  readonly service: Service
}

/**
 * No run begins without a ledger. But whoever stands still because of an earlier one is resumed, as far as can be read
 * whom.
 * @throws {Failure} RUN_ACTIVE, LEDGER_UNUSABLE
 */
async function openOrResume(settings: Settings, opening: RunOptions, onCommand: CommandObserver): Promise<OpenedRun> {
  try {
    return await openRun(settings, opening, onCommand)
  } catch (error) {
    if (error instanceof Failure && error.code === 'LEDGER_UNUSABLE') await resumeAll(settings, opening)
    throw error
  }
}

async function resumeAll(settings: Settings, { run, onEndings, onOthers }: RunOptions): Promise<void> {
  const { endings, others } = await resumeTenants(settings, run, null, null)
  onEndings(endings)
  onOthers(others, settings.file)
  requireAllResumed(endings)
}

async function openRun(
  settings: Settings,
  { run, waiting }: RunOptions,
  onCommand: CommandObserver,
): Promise<OpenedRun> {
  // With its libraries: runs over bare files take none.
  const { takeRunLock } = await import('../../ledger/run-lock/run-lock.ts')
  const lock = await waitForRun(() => takeRunLock(settings.ledger.dir, settings.service.name, run), waiting)
  try {
    // The libraries for the one are loaded while the other's process starts.
    const opened = await openTogether(
      openLedger(settings.ledger.dir, run, wayOf(settings)),
      connectService(settings.service, onCommand),
    )
    return {
      lock,
      ledger: opened.first,
      service: opened.second,
      async [Symbol.asyncDispose]() {
        await using _lock = lock
        await opened[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * First of all whoever stands still is resumed; only then anything is written.
 * @throws {Failure} RESUME_FAILED, LEDGER_UNUSABLE, CONFIG_INVALID
 */
async function withLedger<Value>(
  { lock, ledger, service }: OpenedRun,
  settings: Settings,
  opening: RunOptions,
  guard: ResumeCare['guard'],
  work: (ledger: Ledger, service: Service, signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  using _notices = reportNotices(ledger, opening.onNotice)
  using locks = HoldLocks.open(settings.ledger.dir)
  const endings = await resumeOpenHolds(service, ledger, null, { locks, guard })
  opening.onEndings(endings)
  requireAllResumed(endings)
  opening.onOthers(await leftBehind(await ledger.otherHolds(), settings.ledger.dir), settings.file)
  await requireAnyRoot(settings.tenants.roots, opening.interrupt)
  await ledger.append({ kind: 'run-started', mode: opening.mode, version: opening.version, argv: opening.argv })
  return await work(ledger, service, AbortSignal.any([opening.interrupt, lock.compromised]))
}

/**
 * What is to be said of a ledger is said when it is opened, for a run may end otherwise than it thinks; and at the end,
 * what was found on the way.
 */
export function reportNotices(ledger: Ledger, onNotice: (notice: string) => void): Disposable {
  let told: string | null = null
  const tell = (): void => {
    if (ledger.notice !== null && ledger.notice !== told) onNotice(ledger.notice)
    told = ledger.notice
  }
  tell()
  return { [Symbol.dispose]: tell }
}

/** Where one cannot be opened, the other is closed again. They are closed in the opposite order. */
async function openTogether<First extends AsyncDisposable, Second extends AsyncDisposable>(
  opening: Promise<First>,
  besides: Promise<Second>,
): Promise<AsyncDisposable & { readonly first: First; readonly second: Second }> {
  const [first, second] = await Promise.allSettled([opening, besides])
  if (first.status === 'rejected') {
    if (second.status === 'fulfilled') await second.value[Symbol.asyncDispose]()
    throw first.reason
  }
  if (second.status === 'rejected') {
    await first.value[Symbol.asyncDispose]()
    throw second.reason
  }
  return {
    first: first.value,
    second: second.value,
    async [Symbol.asyncDispose]() {
      await using _first = first.value
      await using _second = second.value
    },
  }
}

export const checksInParallel = ({ check }: Pick<Settings, 'check'>): number =>
  check.workers === 'auto' ? availableParallelism() : check.workers

export const checkLimits = ({
  check,
}: Pick<Settings, 'check'>): {
  readonly timeoutMs: number
  readonly memoryBytesMax: number
  readonly niceness: number
} => ({ timeoutMs: check.timeoutMs, memoryBytesMax: check.memoryBytes, niceness: check.niceness })

/** Half of what is free may hold snapshots; the other half belongs to the service. */
export async function limitsFor(
  folder: string,
  depth: RunLimits['depth'],
  maxPaused: number,
  checksAtOnce: number,
  besidePaused: number,
): Promise<RunLimits> {
  const { bavail, bsize } = await statfs(folder)
  const snapshotsMax = checksAtOnce + maxPaused + besidePaused + 1
  return {
    depth,
    maxPaused,
    besidePaused,
    checksInParallel: checksAtOnce,
    leading: 0,
    snapshotsMax,
    snapshotBytesMax: (bavail * bsize) / 2,
  }
}

/** While one stands still, the next one is made ready and the last one's snapshot is hashed. */
export const besidePausedTenant = 2
/** A bare file is watched for 30 ms before it is locked: several at the same time, or a folder takes long. */
export const besideLockedFile = 10

function keeperOf({ tenant }: Target, settings: Settings, service: Service, ledger: Ledger): TenantKeeper {
  if (tenant === null) return { kind: 'nobody' }
  const reached = settings.service
  const socket = reached.kind === 'admin-api' && reached.endpoint.kind === 'unix' ? reached.endpoint.socket : null
  return { kind: 'service', tenant, service, ledger, socket }
}
