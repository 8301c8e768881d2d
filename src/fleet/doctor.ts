/**
 * The doctor: is this machine fit for holding, and does the service keep the admin API's contract (interfaces.md)?
 * Each step is tried for real on files of our own; a tenant is paused only when one is named.
 */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { wayOf } from '../config/service-way.ts'
import type { Settings } from '../config/settings.ts'
import { fileSystemOf } from '../host/file-system.ts'
import { startCompanions } from '../hold/companions.ts'
import { draftName } from '../hold/draft.ts'
import { Guardian } from '../hold/guardian.ts'
import { hold, unbounded } from '../hold/hold.ts'
import { isTrusted } from '../hold/preflight.ts'
import { requirePrivateFolder } from '../hold/private-folder.ts'
import { openFolderOfRun, openSnapshotFolder } from '../hold/snapshot-folder.ts'
import { makeSpecimen } from '../hold/specimen.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { newRunId } from '../ledger/run-id.ts'
import { tenantId, type TenantId } from '../model/brand.ts'
import { invariant } from '../model/bug.ts'
import { mayBeOurs } from '../model/service-way.ts'
import { Failure } from '../model/failure.ts'
import { connectService } from '../service/connect.ts'
import type { Service } from '../service/port.ts'
import { attempt, broken, fit, step, unfit, unfitSaying, warning, type Saying, type Step } from './doctor-words.ts'
import { checkTestDatabase } from './doctor-check.ts'
import { tryContract } from './doctor-contract.ts'
import { lookAtPrograms } from './doctor-programs.ts'

export interface Fitness {
  readonly steps: readonly Step[]
}

/**
 * @param paused the tenant that may be quiesced for the test; null: none
 * @throws {Failure} where a tenant is named: RUN_ACTIVE, TENANT_UNKNOWN. Nobody is paused beside a run, or in the place of another.
 */
export async function examineFitness(settings: Settings, paused: TenantId | null, signal: AbortSignal): Promise<Fitness> {
  const { takeRunLock } = await import('../ledger/run-lock.ts')
  const run = newRunId()
  const lock = await attempt(() => takeRunLock(settings.ledger.dir, settings.service.name, run))
  if (lock instanceof Failure && lock.code === 'RUN_ACTIVE' && paused !== null) throw lock
  await using _lock = lock instanceof Failure ? null : lock // Kept to the end: no run begins beside a pause.
  const ledger = lock instanceof Failure ? lock : await attempt(() => openLedger(settings.ledger.dir, run, wayOf(settings)))
  await using _ledger = ledger instanceof Failure ? null : ledger
  const steps: Step[] = [
    ...(await Promise.all(settings.tenants.roots.map((root) => step(`root ${root}`, () => lookAtRoot(root, settings))))),
    await step('snapshot folder', () => lookAtFolder(settings.snapshots.dir)),
    await step('check', () => checkTestDatabase(settings, signal)),
    await step('ledger', () => lookAtLedger(ledger)),
    ...(await Promise.all(settings.tenants.roots.map((root) => step(`hold in ${root}`, () => holdSpecimen(root, settings, signal))))),
  ]
  if (settings.service.kind === 'hooks') steps.push(await step('hooks: programs', () => Promise.resolve(lookAtPrograms(settings.service))))
  // Should we be killed while the tenant stands still, it is resumed.
  await using guardian = paused === null ? null : Guardian.begin({ settings: settings.service, way: wayOf(settings), ledgerDir: settings.ledger.dir, run, env: { ...process.env } })
  const connected = await attempt(() => connectService(settings.service, (tenant, news) => guardian?.tellCommand(tenant, news)))
  if (connected instanceof Failure) return { steps: [...steps, unfit('service', connected)] }
  await using service = connected
  steps.push(await step('service: capabilities', () => askCapabilities(service, signal)))
  steps.push(await step('service: tenants', () => askTenants(service, settings, signal)))
  steps.push(await step('service: open leases', () => askLeases(service, signal)))
  steps.push(await step('service: unknown tenant', () => askUnknown(service, signal)))
  if (paused === null || guardian === null) return { steps: [...steps, { about: 'service: quiesce and resume', outcome: 'skipped', said: 'no tenant was named', next: 'holdfast doctor --tenant ID' }] }
  if (ledger instanceof Failure) return { steps: [...steps, { about: 'service: quiesce and resume', outcome: 'skipped', said: 'nobody is paused without a ledger that remembers it', next: null }] }
  return { steps: [...steps, ...(await tryContract({ service, ledger, guardian, tenant: paused, settings, signal }))] }
}

async function lookAtRoot(root: string, settings: Settings): Promise<Saying> {
  const fileSystem = await fileSystemOf(root)
  const said = `${fileSystem.type} at ${fileSystem.mountPoint}`
  if (!isTrusted(fileSystem, settings.tenants.trustMounts)) throw new Failure('LOCKS_UNTRUSTED', said)
  if (fileSystem.type === 'overlay') return warning(`${said}: a kernel lease sees only this mount`, 'run holdfast where the files lie on the disk itself, or set hold.require: exclusive')
  return fit(said)
}

async function lookAtFolder(folder: string): Promise<Saying> {
  await requirePrivateFolder(folder)
  const { mode } = await stat(folder)
  return fit(`${folder}, mode ${(mode & 0o777).toString(8)}`)
}

async function lookAtLedger(ledger: Ledger | Failure): Promise<Saying> {
  if (ledger instanceof Failure) {
    if (ledger.code === 'RUN_ACTIVE') return warning('another run works with it, and so it was not looked at', 'holdfast doctor, when that run is over')
    throw ledger
  }
  const open = await ledger.openHolds()
  const others = (await ledger.otherHolds()).filter(mayBeOurs)
  if (ledger.notice !== null) return warning(ledger.notice, 'keep the file that was set aside if its history matters')
  if (others.length > 0) return warning(`${others.length} holds stand open that were made with another service.admin or other hooks`, '`holdfast status` names each with its command')
  return open.length === 0 ? fit('opens, and no hold stands open') : warning(`${open.length} holds stand open`, 'holdfast resume --all')
}

/**
 * A whole hold, on a database of our own beside the tenants': locks, probe, leases and copy are tried for real. The service's user may rename in the root: the
 * folder is known by its descriptor, and a file anywhere else is refused.
 */
async function holdSpecimen(root: string, settings: Settings, signal: AbortSignal): Promise<Saying> {
  await using folder = await openSnapshotFolder(settings.snapshots.dir, null)
  await using beside = await openFolderOfRun(root, '.holdfast-doctor-')
  const inside = beside.folder.at('.')
  const named = await makeSpecimen(inside)
  await using companions = await startCompanions()
  const [held] = await hold({
    files: [{ named, expected: false, lostPauseMs: null, name: draftName('doctor'), onStep: () => undefined }],
    roots: [inside], keeper: { kind: 'nobody' }, folder: folder.path, bounds: unbounded,
    settings: { ...settings.hold, trustMounts: settings.tenants.trustMounts },
  }, companions, signal)
  invariant(held, 'a hold has an outcome for each file')
  if (held.kind !== 'snapshot') throw held.failure
  await using _snapshot = held.snapshot
  return fit(`lock, probe, lease, copy: ${held.record.evidence.level}, by ${held.record.evidence.snapshot?.method ?? 'copy'}`)
}

async function askCapabilities(service: Service, signal: AbortSignal): Promise<Saying> {
  if (service.via === 'hooks') return warning('hooks: no pause ends by itself, and the service does not confirm that a pause lasted', 'embed the gate (`holdfast/gate`) when you can')
  const { service: name, version, sqliteVersion } = await service.capabilities(signal)
  return fit(`${name} ${version}, SQLite ${sqliteVersion ?? 'unknown'}`)
}

async function askTenants(service: Service, settings: Settings, signal: AbortSignal): Promise<Saying> {
  const tenants = await service.tenants(signal)
  if (tenants.length === 0) return warning('lists no tenant', 'is this the right service?')
  const { statusTenant } = settings.tenants
  if (statusTenant !== null && !tenants.some(({ id }) => id === statusTenant)) return warning(`lists ${tenants.length} tenants, but not the status tenant ${statusTenant}`, 'correct tenants.statusTenant')
  return fit(`lists ${tenants.length} tenants, ${tenants.reduce((sum, { files }) => sum + files.length, 0)} files`)
}

async function askLeases(service: Service, signal: AbortSignal): Promise<Saying> {
  const leases = await service.leases(signal)
  return leases.length === 0 ? fit('none') : warning(`${leases.length} stand: ${leases.map(({ tenant, holder }) => `${tenant} by ${holder}`).join(', ')}`, 'holdfast resume --all')
}

async function askUnknown(service: Service, signal: AbortSignal): Promise<Saying> {
  if (service.via === 'hooks') return { outcome: 'skipped', said: 'hooks have no status', next: null }
  const answer = await attempt(() => service.tenant(tenantId(`no-such-tenant-${randomUUID()}`), signal))
  if (!(answer instanceof Failure)) return broken('the service knows a tenant that nobody ever named')
  return answer.code === 'ADMIN_REFUSED' ? fit('refused, as it must be') : unfitSaying(answer)
}
