/**
 * The doctor: is this machine fit for holding, and does the service keep the admin API's contract (interfaces.md)?
 * Each step is tried for real on files of our own; a tenant is paused only when one is named.
 */

import { stat } from 'node:fs/promises'
import { wayOf } from '../config/service-way.ts'
import type { Settings } from '../config/settings.ts'
import { startHoldProcesses } from '../hold/hold-processes.ts'
import { hold, unbounded } from '../hold/hold.ts'
import { isTrusted } from '../hold/preflight.ts'
import { Guardian } from '../hold/seal/guardian.ts'
import { draftName } from '../hold/snapshot/draft.ts'
import { requirePrivateFolder } from '../hold/snapshot/private-folder.ts'
import { openFolderOfRun, openSnapshotFolder } from '../hold/snapshot/temporary-folder.ts'
import { fileSystemOf } from '../host/files/file-system.ts'
import { givenMask } from '../host/process/file-mask.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { newRunId } from '../ledger/run-lock/run-id.ts'
import { waitForRun, type RunWait } from '../ledger/run-lock/wait-for-run.ts'
import type { TenantId } from '../model/brand.ts'
import { invariant } from '../model/bug.ts'
import type { OpenHold } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import { mayBeOurs, type OtherHold } from '../model/service-way.ts'
import { connectService } from '../service/connect.ts'
import { count } from '../text/count.ts'
import { checkTestDatabase } from './machine/check-test-database.ts'
import { examinePrograms } from './machine/programs.ts'
import { makeTestDatabase } from './machine/test-database.ts'
import { tryContract } from './service/contract.ts'
import { tryWithoutPause } from './service/without-pause.ts'
import { attempt, fit, notTried, skipped, step, unfit, warning, type StepOutcome, type DoctorStep } from './steps.ts'

export interface Fitness {
  readonly steps: readonly DoctorStep[]
  /**
   * Holds in the ledger that were made with another service.admin or other hooks, or that do not say of whom they are.
   */
  readonly others: readonly OtherHold[]
}

/**
 * @param paused the tenant that may be quiesced for the test; null: none
 * @param waiting for another run to end; null: not at all
 * @throws {Failure} where a tenant is named: RUN_ACTIVE, TENANT_UNKNOWN. Nobody is paused beside a run, or in the place
 * of another.
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
  const others = left instanceof Failure ? [] : left.others
  const steps: DoctorStep[] = [
    ...(await Promise.all(
      settings.tenants.roots.map((root) => step(`root ${root}`, () => lookAtRoot(root, settings))),
    )),
    await step('snapshot folder', () => lookAtFolder(settings.snapshots.dir)),
    await step('check', () => checkTestDatabase(settings, signal)),
    await step('ledger', () => Promise.resolve(lookAtLedger(ledger, left))),
    ...(await Promise.all(
      settings.tenants.roots.map((root) => step(`hold in ${root}`, () => holdSpecimen(root, settings, signal))),
    )),
  ]
  if (settings.service.kind === 'hooks')
    steps.push(await step('hooks: programs', () => Promise.resolve(examinePrograms(settings.service))))
  // Should we be killed while the tenant stands still, it is resumed.
  const begun =
    paused === null
      ? null
      : await attempt(() =>
          Guardian.begin({
            settings: settings.service,
            way: wayOf(settings),
            ledgerDir: settings.ledger.dir,
            run,
            env: { ...process.env },
            fileMask: givenMask(),
          }),
        )
  await using guardian = begun instanceof Failure ? null : begun
  const connected = await attempt(() =>
    connectService(settings.service, (tenant, news) => guardian?.tellCommand(tenant, news)),
  )
  if (connected instanceof Failure) return { steps: [...steps, unfit('service', connected)], others }
  await using service = connected
  steps.push(...(await tryWithoutPause(service, settings, signal)))
  const untried = (said: string, next: string | null = null): Fitness => ({
    steps: [...steps, skipped('service: quiesce and resume', said, next)],
    others,
  })
  if (begun instanceof Failure) {
    steps.push(unfit('guardian', begun))
    return untried('nobody is paused without a guardian that would resume it')
  }
  if (paused === null || guardian === null)
    return untried('no tenant was named', 'name one that may stand still, with --tenant ID')
  if (ledger instanceof Failure) return untried('nobody is paused without a ledger that remembers it')
  const tried = await attempt(() => tryContract({ service, ledger, guardian, tenant: paused, settings, signal }))
  if (!(tried instanceof Failure)) return { steps: [...steps, ...tried], others }
  if (tried.code === 'TENANT_UNKNOWN') throw tried
  return { steps: [...steps, unfit('service: quiesce and resume', tried)], others }
}

async function lookAtRoot(root: string, settings: Settings): Promise<StepOutcome> {
  const fileSystem = await fileSystemOf(root)
  const said = `${fileSystem.type} at ${fileSystem.mountPoint}`
  if (!isTrusted(fileSystem, settings.tenants.trustMounts)) throw new Failure('LOCKS_UNTRUSTED', said)
  if (fileSystem.type === 'overlay')
    return warning(
      `${said}: a kernel lease sees only this mount`,
      'run holdfast where the files lie on the disk itself, or set hold.require: exclusive',
    )
  return fit(said)
}

async function lookAtFolder(folder: string): Promise<StepOutcome> {
  await requirePrivateFolder(folder)
  const { mode } = await stat(folder)
  return fit(`${folder}, mode ${(mode & 0o777).toString(8)}`)
}

interface LeftOpen {
  /** Of this service as it is reached now. */
  readonly ours: readonly OpenHold[]
  readonly others: readonly OtherHold[]
}

async function leftOpen(ledger: Ledger | Failure): Promise<LeftOpen> {
  if (ledger instanceof Failure) throw ledger
  const [ours, others] = await Promise.all([ledger.openHolds(), ledger.otherHolds()])
  return { ours, others: others.filter(mayBeOurs) }
}

/** The run lock is ours: no run is at work, so that whoever has a hold may stand still. */
function lookAtLedger(ledger: Ledger | Failure, left: LeftOpen | Failure): StepOutcome {
  if (ledger instanceof Failure && ledger.code === 'RUN_ACTIVE')
    return notTried('another run works with it, and so it was not looked at', 'try again when that run is over')
  if (ledger instanceof Failure) throw ledger
  if (left instanceof Failure) throw left
  if (left.ours.length > 0) {
    const tenants = [...new Set(left.ours.map(({ tenant }) => tenant))]
    const named = `${tenants.slice(0, tenantsNamedMax).join(', ')}${tenants.length > tenantsNamedMax ? ', …' : ''}`
    const open = count(left.ours.length, 'hold stands open', 'holds stand open')
    const said = `${open}, and may keep a tenant still: ${named}`
    return { outcome: 'paused', said, next: 'holdfast resume --all' }
  }
  if (ledger.notice !== null) return warning(ledger.notice, 'keep the file that was set aside if its history matters')
  return fit(left.others.length === 0 ? 'opens, and no tenant is known to be paused (no hold stands open)' : 'opens')
}

const tenantsNamedMax = 10

/**
 * A whole hold, on a database of our own beside the tenants': locks, probe, leases and copy are tried for real. The
 * service's user may rename in the root: the folder is known by its descriptor, and a file anywhere else is refused.
 */
async function holdSpecimen(root: string, settings: Settings, signal: AbortSignal): Promise<StepOutcome> {
  await using folder = await openSnapshotFolder(settings.snapshots.dir, null)
  await using beside = await openFolderOfRun(root, '.holdfast-doctor-')
  const inside = beside.folder.at('.')
  const named = await makeTestDatabase(inside)
  await using companions = await startHoldProcesses()
  const [held] = await hold(
    {
      files: [{ named, expected: false, lostPauseMs: null, name: draftName('doctor'), onStep: () => undefined }],
      roots: [inside],
      keeper: { kind: 'nobody' },
      folder: folder.path,
      bounds: unbounded,
      settings: { ...settings.hold, trustMounts: settings.tenants.trustMounts },
    },
    companions,
    signal,
  )
  invariant(held, 'a hold has an outcome for each file')
  if (held.kind !== 'snapshot') throw held.failure
  await using _snapshot = held.snapshot
  return fit(
    `lock, probe, lease, copy: ${held.record.evidence.level}, by ${held.record.evidence.snapshot?.method ?? 'copy'}`,
  )
}
