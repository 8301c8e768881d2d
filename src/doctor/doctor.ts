/**
 * The doctor: is this machine fit for holding, and does the service keep the contract of the admin API
 * (admin-api.yaml)? Each step is tried for real, on files of its own. A tenant is paused only if one is named.
 */

import { doubtfulEntries } from '../config/accepted-limits.ts'
import { wayOf } from '../config/service-way.ts'
import type { Settings } from '../config/settings.ts'
import { Guardian } from '../hold/seal/guardian.ts'
import { initialFileMask } from '../host/process/file-mask.ts'
import { isOfRunningRun, findAbandonedHolds } from '../ledger/at-work.ts'
import type { Ledger, LedgerReader } from '../ledger/ledger.ts'
import { openLedger, readLedger } from '../ledger/open-ledger.ts'
import { newRunId } from '../ledger/run-lock/run-id.ts'
import { waitForRun, type RunWait } from '../ledger/run-lock/wait-for-run.ts'
import type { RunId, TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { mayBeOurs, type OtherHold } from '../model/service-way.ts'
import { connectService } from '../service/connect.ts'
import type { Service } from '../service/port.ts'
import { targetWords } from '../text/shell-words.ts'
import { judgeExpiry } from './fleet-expiry.ts'
import { foreseeLiveMode } from './machine/live-mode.ts'
import { examineMachine, type RecordedOpenHolds } from './machine/machine.ts'
import { examinePrograms } from './machine/programs.ts'
import { tryContract } from './service/contract.ts'
import { tryWithoutPause } from './service/without-pause.ts'
import { attempt, skipped, step, unfit, warning, type DoctorStep } from './steps.ts'

export interface Fitness {
  readonly steps: readonly DoctorStep[]
  /**
   * Open holds that were made with another service.admin or other hooks, or whose service was not recorded.
   */
  readonly others: readonly OtherHold[]
}

/**
 * @param paused the tenant that may be paused for the test; null: none
 * @param waiting how to wait if another run works on this service; null: do not wait
 * @throws {Failure} RUN_ACTIVE and TENANT_UNKNOWN, only if a tenant is named: no tenant is paused beside a run, and
 * none in the place of another
 */
export async function examineFitness(
  settings: Settings,
  paused: TenantId | null,
  signal: AbortSignal,
  waiting: RunWait | null = null,
): Promise<Fitness> {
  const { takeRunLock } = await import('../ledger/run-lock/run-lock.ts')
  const run = newRunId()
  const lock = await attempt(() =>
    waitForRun(() => takeRunLock(settings.ledger.dir, settings.service.name, run), waiting),
  )
  if (lock instanceof Failure && lock.code === 'RUN_ACTIVE' && paused !== null) throw lock
  await using _lock = lock instanceof Failure ? null : lock // Kept to the end: no run begins beside a pause.
  const ledger =
    lock instanceof Failure ? lock : await attempt(() => openLedger(settings.ledger.dir, run, wayOf(settings)))
  await using _ledger = ledger instanceof Failure ? null : ledger
  const left = await attempt(() => leftOpen(ledger))
  const machine = await examineMachine(settings, ledger, left, signal)
  const service = await examineService(settings, ledger, paused, run, signal)
  return {
    steps: [...judgeConfiguration(settings), ...machine, ...service],
    others: left instanceof Failure ? [] : left.others,
  }
}

const judgeConfiguration = (settings: Settings): readonly DoctorStep[] => [
  ...doubtfulEntries(settings.check.accept).map((doubtful) => ({
    about: 'configuration',
    ...warning(doubtful, 'holdfast explain check.accept'),
  })),
  ...judgeExpiry(settings),
]

/**
 * The same beside runs, for a bundle of evidence. It takes no run lock, so it keeps no sweep from its work. It writes
 * nothing into the ledger, and pauses no tenant.
 */
export async function examineBesideRuns(settings: Settings, signal: AbortSignal): Promise<Fitness> {
  const ledger = await attempt(() => readLedger(settings.ledger.dir, wayOf(settings)))
  await using _ledger = ledger instanceof Failure ? null : ledger
  const left = await attempt(() => leftByDeadRuns(ledger, settings))
  const machine = await examineMachine(settings, ledger, left, signal)
  const service = await examineService(settings, null, null, newRunId(), signal)
  return {
    steps: [...judgeConfiguration(settings), ...machine, ...service],
    others: left instanceof Failure ? [] : left.others,
  }
}

async function leftByDeadRuns(ledger: LedgerReader | Failure, settings: Settings): Promise<RecordedOpenHolds> {
  const { ours, others } = await leftOpen(ledger)
  const { dir } = settings.ledger
  const atWork = await Promise.all(ours.map((hold) => isOfRunningRun(dir, settings.service.name, hold, Date.now())))
  return { ours: ours.filter((_, at) => atWork[at] === false), others: await findAbandonedHolds(others, dir) }
}

async function leftOpen(ledger: LedgerReader | Failure): Promise<RecordedOpenHolds> {
  if (ledger instanceof Failure) throw ledger
  const [ours, others] = await Promise.all([ledger.openHolds(), ledger.otherHolds()])
  return { ours, others: others.filter(mayBeOurs) }
}

/** @throws {Failure} TENANT_UNKNOWN */
async function examineService(
  settings: Settings,
  ledger: Ledger | Failure | null,
  paused: TenantId | null,
  run: RunId,
  signal: AbortSignal,
): Promise<readonly DoctorStep[]> {
  const steps: DoctorStep[] = []
  if (settings.service.kind === 'hooks')
    steps.push(await step('hooks: programs', () => Promise.resolve(examinePrograms(settings.service))))
  // If this process is killed while the tenant is paused, the guardian resumes it.
  const begun = paused === null ? null : await attempt(() => beginGuardian(settings, run))
  await using guardian = begun instanceof Failure ? null : begun
  const connected = await attempt(() =>
    connectService(settings.service, (tenant, latest) => guardian?.tellCommand(tenant, latest)),
  )
  if (connected instanceof Failure) return [...steps, unfit('service', connected)]
  await using service = connected
  steps.push(...(await tryWithoutPause(service, settings, signal)))
  steps.push(await tryLiveMode(service, settings, ledger, signal))
  const aboutPause = 'service: quiesce and resume'
  if (service.via === 'files') {
    const instead = paused === null ? null : `holdfast check ${targetWords(paused, '')}`
    return [...steps, skipped(aboutPause, 'with service.files nothing is paused', instead)]
  }
  if (begun instanceof Failure)
    return [
      ...steps,
      unfit('guardian', begun),
      skipped(aboutPause, 'no tenant is paused without a guardian that would resume it'),
    ]
  if (paused === null || guardian === null)
    return [...steps, skipped(aboutPause, 'no tenant was named', 'name one that may be paused, with --tenant ID')]
  if (ledger === null || ledger instanceof Failure)
    return [...steps, skipped(aboutPause, 'no tenant is paused without a ledger that records it')]
  const tried = await attempt(() => tryContract({ service, ledger, guardian, tenant: paused, settings, signal }))
  if (tried instanceof Failure && tried.code === 'TENANT_UNKNOWN') throw tried
  return [...steps, ...(tried instanceof Failure ? [unfit(aboutPause, tried)] : tried)]
}

async function tryLiveMode(
  service: Service,
  settings: Settings,
  ledger: Ledger | Failure | null,
  signal: AbortSignal,
): Promise<DoctorStep> {
  const about = 'live mode'
  // Beside a run it would open files that the run has sealed.
  if (ledger === null || ledger instanceof Failure)
    return skipped(about, 'another run may be at work: no file was opened')
  const tenants = await attempt(() => service.tenants(signal))
  if (tenants instanceof Failure) return skipped(about, 'the service gave no list of tenants')
  return step(about, () => foreseeLiveMode(tenants, settings, signal))
}

const beginGuardian = (settings: Settings, run: RunId): Promise<Guardian> =>
  Guardian.begin({
    settings: settings.service,
    way: wayOf(settings),
    ledgerDir: settings.ledger.dir,
    run,
    env: { ...process.env },
    fileMask: initialFileMask(),
  })
