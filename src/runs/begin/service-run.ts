/** A run on a configured service: what is opened before the first tenant is paused, in this order. */

import { openChecker } from '../../check/check.ts'
import { keepConfiguration } from '../../config/last-good.ts'
import { requiredLevel } from '../../config/levels/required-level.ts'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import type { RecoveredChange } from '../../hold/change/change-types.ts'
import { recoverChanges } from '../../hold/change/recovery/recover-changes.ts'
import { beginHoldProcesses } from '../../hold/hold-processes.ts'
import type { TenantConnection } from '../../hold/hold.ts'
import { requireAnyRoot } from '../../hold/live/live-path.ts'
import type { PausePermit } from '../../hold/pause/pause-permit.ts'
import { openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { monotonicMs } from '../../host/clock.ts'
import { initialFileMask } from '../../host/process/file-mask.ts'
import { findAbandonedHolds } from '../../ledger/at-work.ts'
import { compactLedger } from '../../ledger/compact-ledger.ts'
import type { Incident } from '../../ledger/incident.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { openLedger } from '../../ledger/open-ledger.ts'
import { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import type { RunLock } from '../../ledger/run-lock/run-lock.ts'
import { waitForRun, type RunWait } from '../../ledger/run-lock/wait-for-run.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { Engine } from '../../model/result/reading.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { connectService } from '../../service/connect.ts'
import type { CommandObserver, Service } from '../../service/port.ts'
import { HarmWatch } from '../harm/harm-watch.ts'
import {
  requireAllResumed,
  resumeOpenHolds,
  type OpenHoldOutcome,
  type ResumeGuards,
} from '../open-holds/open-holds.ts'
import { resumeTenants } from '../open-holds/resume-tenants.ts'
import { openBackupsOfService, type BackupsOfService } from '../run-backups.ts'
import { takeBackMixedChanges } from './mixed-changes.ts'
import { openTogether } from './open-together.ts'
import { recordBeginning, type BeginningOfRun } from './record-beginning.ts'
import type { RegistryReader } from './registry.ts'
import { rehearsalTerms } from './rehearsal-terms.ts'
import type { RunContext } from './run-context.ts'
import { checkLimits, checksInParallel } from './run-limits.ts'

export interface RunOptions extends BeginningOfRun {
  readonly interrupt: AbortSignal
  /** How to wait if another run works on this service; null: do not wait. */
  readonly waiting: RunWait | null
  /** Called with the holds that an earlier run left open, and how each has ended. */
  readonly onEndings: (endings: readonly OpenHoldOutcome[]) => void
  /** Called with holds in the ledger that this run may not end: of another service, or made in another way. */
  readonly onOthers: (others: readonly OtherHold[], config: string) => void
  /** Called with changes that an earlier run left half done, and what became of each. */
  readonly onRecovered: (recovered: readonly RecoveredChange[]) => void
  /** Called with sentences about the ledger itself. */
  readonly onNotice: (notice: string) => void
  /** Called with sentences for the report. */
  readonly onReportNotice: (notice: string) => void
  readonly onRegistry: RegistryReader['onRegistry']
  readonly onStep: RunContext['onStep']
  /** Called as soon as a resume has failed that will be tried again. */
  readonly onResumeRetry: ResumeGuards['onResumeRetry']
  readonly keepSnapshot: RunContext['keepSnapshot']
  readonly backups: BackupsOfService
  /** Must be asked before a tenant is paused; left out if there is no such limit. */
  readonly permit?: PausePermit
  readonly onDamagedPages?: NonNullable<RunContext['onDamagedPages']>
  /** What compares rows with index entries. */
  readonly engine: Engine
  /** How large a part of the pages a check at depth `sample` reads; null at another depth. */
  readonly sampleShare: number | null
  readonly map: RunContext['map']
  /** True if findings show what index entries hold beside keys. */
  readonly showValues: boolean
}

export interface ServiceRun {
  readonly settings: Settings
  readonly service: Service
  readonly ledger: Ledger
  readonly context: RunContext
  /** The incident that the run belongs to; null without one. */
  readonly incident: Incident | null
  /** Aborts when the person interrupts, or when the run lock is lost. */
  readonly signal: AbortSignal
  readonly now: RegistryReader['now']
  readonly onRegistry: RegistryReader['onRegistry']
}

/**
 * Opens a run, works, and closes it again. Holds that a crash left open are resumed first.
 * @throws {Failure} PLATFORM_UNSUPPORTED, RUN_ACTIVE, LEDGER_UNUSABLE, SNAPSHOT_UNSAFE, ADMIN_UNREACHABLE,
 * RESUME_FAILED, GUARDIAN_LOST, CANNOT_CONFINE; CONFIG_INVALID if no root exists
 */
export async function withServiceRun<Value>(
  settings: Settings,
  options: RunOptions,
  work: (run: ServiceRun) => Promise<Value>,
): Promise<Value> {
  // Probe and guardian start while the lock is taken and the ledger opened. The checker's child starts while the
  // guardian answers. They may outlive the run lock, because they hold nothing.
  await using holdProcesses = await beginHoldProcesses({
    settings: settings.service,
    way: wayOf(settings),
    ledgerDir: settings.ledger.dir,
    run: options.run,
    env: { ...process.env },
    fileMask: initialFileMask(),
  })
  const { guardian } = holdProcesses
  await using opened = await openOrResume(settings, options, (tenant, latest) => guardian.tellCommand(tenant, latest))
  const guard: ResumeGuards['guard'] = (hold) => guardian.guard(hold)
  return await withLedger(
    opened,
    settings,
    options,
    guard,
    async ({ ledger, service, recovered, incident, signal }) => {
      await using folder = await openSnapshotFolder(settings.snapshots.dir, null)
      await using checker = await openChecker({
        ...checkLimits(settings),
        engine: options.engine,
        showValues: options.showValues,
        folder: folder.path,
        parallel: checksInParallel(settings),
      })
      using backups = openBackupsOfService(settings, options)
      await holdProcesses.ready()
      await checker.ready()
      const context: RunContext = {
        holdProcesses,
        checker,
        folder: folder.path,
        ledger,
        harm: new HarmWatch({ ledger, run: options.run, incident, onNotice: options.onReportNotice }),
        roots: settings.tenants.roots,
        accept: settings.check.accept,
        invariants: judgesRules.has(options.mode) ? settings.check.invariants : [],
        sampleShare: options.sampleShare,
        map: options.map,
        ...(options.onDamagedPages === undefined ? {} : { onDamagedPages: options.onDamagedPages }),
        onStep: options.onStep,
        keepSnapshot: options.keepSnapshot,
        backups,
        rehearsing: await rehearsalTerms(settings.check.rehearse, options.mode, {
          checker,
          folder: folder.path,
          limits: checkLimits(settings),
        }),
        settings: { ...settings.hold, live: settings.live, trustMounts: settings.tenants.trustMounts },
        levelFor: ({ tenant }) => requiredLevel(settings.hold.require, tenant),
        listsDatabases: service.via !== 'files',
        connectionOf: ({ tenant }) =>
          tenant === null || service.via === 'files' ? null : connectionTo(tenant, settings, service, ledger, options),
      }
      options.onRecovered(await takeBackMixedChanges(recovered, settings.file, context, signal))
      return await work({
        settings,
        service,
        ledger,
        context,
        incident,
        signal,
        now: Date.now,
        onRegistry: options.onRegistry,
      })
    },
  )
}

/** A remedy is judged by the file alone, and triage looks for what crashes a service. */
const judgesRules: ReadonlySet<string> = new Set(['check', 'sweep'])

interface OpenedRun extends AsyncDisposable {
  readonly lock: RunLock
  readonly ledger: Ledger
  readonly service: Service
}

/**
 * No run begins without a ledger. But a tenant that an earlier run left paused is resumed, as far as the ledger can
 * still be read.
 * @throws {Failure} RUN_ACTIVE, LEDGER_UNUSABLE
 */
async function openOrResume(settings: Settings, options: RunOptions, onCommand: CommandObserver): Promise<OpenedRun> {
  try {
    return await openRun(settings, options, onCommand)
  } catch (error) {
    if (error instanceof Failure && error.code === 'LEDGER_UNUSABLE') await resumeAll(settings, options)
    throw error
  }
}

async function resumeAll(settings: Settings, { run, onEndings, onOthers, onResumeRetry }: RunOptions): Promise<void> {
  const { endings, others } = await resumeTenants(settings, run, null, null, onResumeRetry)
  onEndings(endings)
  onOthers(others, settings.file)
  requireAllResumed(endings)
}

async function openRun(
  settings: Settings,
  { run, waiting }: RunOptions,
  onCommand: CommandObserver,
): Promise<OpenedRun> {
  // Imported here, with its libraries: most runs over bare files take no run lock.
  const { takeRunLock } = await import('../../ledger/run-lock/run-lock.ts')
  const lock = await waitForRun(() => takeRunLock(settings.ledger.dir, settings.service.name, run), waiting)
  try {
    // In parallel: the libraries of the service's client load while the ledger's process starts.
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

/** A run whose first line is in the ledger. */
interface RecordedRunStart extends Pick<OpenedRun, 'ledger' | 'service'> {
  /** Changes of dead runs that were ended. */
  readonly recovered: readonly RecoveredChange[]
  readonly incident: Incident | null
  readonly signal: AbortSignal
}

/**
 * Resumes every tenant that an earlier run left paused, before it writes anything. Then it ends the changes that an
 * earlier run left half done.
 * @throws {Failure} RESUME_FAILED, LEDGER_UNUSABLE, CONFIG_INVALID
 */
async function withLedger<Value>(
  { lock, ledger, service }: OpenedRun,
  settings: Settings,
  options: RunOptions,
  guard: ResumeGuards['guard'],
  work: (begun: RecordedRunStart) => Promise<Value>,
): Promise<Value> {
  using _notices = reportNotices(ledger, options.onNotice)
  using locks = HoldLocks.open(settings.ledger.dir)
  const endings = await resumeOpenHolds(service, ledger, null, { locks, guard, onResumeRetry: options.onResumeRetry })
  options.onEndings(endings)
  requireAllResumed(endings)
  const recovered = await recoverChanges({ kind: 'quarantine', folder: settings.quarantine.dir }, ledger)
  options.onRecovered(recovered)
  options.onOthers(await findAbandonedHolds(await ledger.otherHolds(), settings.ledger.dir), settings.file)
  const unkept = await keepConfiguration(settings, Date.now())
  if (unkept !== null) options.onNotice(`the copy of the configuration could not be kept: ${unkept}`)
  await requireAnyRoot(settings.tenants.roots, options.interrupt)
  const incident = await recordBeginning(ledger, options)
  const signal = AbortSignal.any([options.interrupt, lock.compromised])
  const startedAtMs = monotonicMs()
  const value = await work({ ledger, service, recovered, incident, signal })
  await compactLedger(ledger, { runMs: monotonicMs() - startedAtMs, signal, onNotice: options.onNotice })
  return value
}

/**
 * Reports what the ledger says of itself. It does so now, in case the run ends early, and when it is disposed of,
 * because a run may find more.
 */
export function reportNotices(ledger: Ledger, onNotice: (notice: string) => void): Disposable {
  let reported: string | null = null
  const report = (): void => {
    if (ledger.notice !== null && ledger.notice !== reported) onNotice(ledger.notice)
    reported = ledger.notice
  }
  report()
  return { [Symbol.dispose]: report }
}

function connectionTo(
  tenant: TenantId,
  settings: Settings,
  service: Service,
  ledger: Ledger,
  { permit = null, onResumeRetry }: { readonly permit?: PausePermit | null } & Pick<RunOptions, 'onResumeRetry'>,
): TenantConnection {
  const { service: way } = settings
  const socket = way.kind === 'admin-api' && way.endpoint.kind === 'unix' ? way.endpoint.socket : null
  return { tenant, service, ledger, socket, permit, onRetry: (why) => onResumeRetry(tenant, why) }
}
