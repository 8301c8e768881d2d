/**
 * The doctor: is this machine fit for holding, and does the service keep the admin API's contract (interfaces.md)?
 * Each step is tried for real on files of our own; a tenant is paused only when one is named.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { fileSystemOf } from '../host/file-system.ts'
import { startCompanions } from '../hold/companions.ts'
import { requirePrivateFolder } from '../hold/draft.ts'
import { hold, unbounded } from '../hold/hold.ts'
import { isTrusted } from '../hold/preflight.ts'
import { makeSpecimen } from '../hold/specimen.ts'
import { requireStill } from '../hold/still-files.ts'
import { openLedger } from '../ledger/ledger.ts'
import { newRunId } from '../ledger/run-id.ts'
import { tenantId, type TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import { connectService } from '../service/connect.ts'
import type { Quiesced, Service } from '../service/port.ts'

export interface Step {
  readonly about: string
  readonly outcome: 'fit' | 'warning' | 'unfit' | 'skipped' | 'paused'
  readonly said: string
  /** What to do about it; null where nothing is. */
  readonly next: string | null
}

export interface Fitness {
  readonly steps: readonly Step[]
}

/** @param paused the tenant that may be quiesced for the test; null: none */
export async function examineFitness(settings: Settings, paused: string | null, signal: AbortSignal): Promise<Fitness> {
  const steps: Step[] = [
    ...(await Promise.all(settings.tenants.roots.map((root) => step(`root ${root}`, () => lookAtRoot(root, settings))))),
    await step('snapshot folder', () => lookAtFolder(settings.snapshots.dir)),
    await step('ledger', () => lookAtLedger(settings)),
    ...(await Promise.all(settings.tenants.roots.map((root) => step(`hold in ${root}`, () => holdSpecimen(root, settings, signal))))),
  ]
  const connected = await attempt(() => connectService(settings.service))
  if (connected instanceof Failure) return { steps: [...steps, unfit('service', connected)] }
  await using service = connected
  steps.push(await step('service: capabilities', () => askCapabilities(service, signal)))
  steps.push(await step('service: tenants', () => askTenants(service, settings, signal)))
  steps.push(await step('service: open leases', () => askLeases(service, signal)))
  steps.push(await step('service: unknown tenant', () => askUnknown(service, signal)))
  if (paused === null) return { steps: [...steps, { about: 'service: quiesce and resume', outcome: 'skipped', said: 'no tenant was named', next: 'holdfast doctor --tenant ID' }] }
  return { steps: [...steps, ...(await tryQuiesce(service, tenantId(paused), settings, signal))] }
}

type Saying = Pick<Step, 'outcome' | 'said' | 'next'>
const fit = (said: string): Saying => ({ outcome: 'fit', said, next: null })
const warning = (said: string, next: string): Saying => ({ outcome: 'warning', said, next })
const unfitSaying = ({ code, message, hint, tenantState }: Failure): Saying => ({ outcome: tenantState === 'maybe-paused' ? 'paused' : 'unfit', said: `${code}: ${message}`, next: hint })
const unfit = (about: string, failure: Failure): Step => ({ about, ...unfitSaying(failure) })
const broken = (said: string): Saying => unfitSaying(new Failure('CONTRACT_BROKEN', said, { tenant: 'active' }))

async function step(about: string, look: () => Promise<Saying>): Promise<Step> {
  const said = await attempt(look)
  return { about, ...(said instanceof Failure ? unfitSaying(said) : said) }
}

/** Failures are what the doctor looks for; a file-system error is one too. Anything else is a defect of ours. */
async function attempt<Value>(work: () => Promise<Value>): Promise<Value | Failure> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Failure) return error
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return new Failure('NO_PERMISSION', (error as Error).message, { cause: error })
    throw error
  }
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

async function lookAtLedger(settings: Settings): Promise<Saying> {
  const { takeRunLock } = await import('../ledger/run-lock.ts')
  await using _lock = await takeRunLock(settings.ledger.dir, settings.service.name)
  await using ledger = await openLedger(settings.ledger.dir, newRunId())
  const open = await ledger.openHolds()
  if (ledger.notice !== null) return warning(ledger.notice, 'keep the file that was set aside if its history matters')
  return open.length === 0 ? fit('opens, and no hold stands open') : warning(`${open.length} holds stand open`, 'holdfast resume --all')
}

/** A whole hold, on a database of our own beside the tenants': locks, probe, leases and copy are tried for real. */
async function holdSpecimen(root: string, settings: Settings, signal: AbortSignal): Promise<Saying> {
  const beside = await mkdtemp(join(root, '.holdfast-doctor-'))
  try {
    const named = await makeSpecimen(beside)
    await requirePrivateFolder(settings.snapshots.dir)
    await using companions = await startCompanions()
    const held = await hold({
      named, roots: null, keeper: { kind: 'nobody' }, expected: false, lostPauseMs: null, settings: { ...settings.hold, trustMounts: settings.tenants.trustMounts },
      folder: settings.snapshots.dir, name: `hold-doctor-${process.pid}`, bounds: unbounded, onStep: () => undefined,
    }, companions, signal)
    if (held.kind !== 'snapshot') throw held.failure
    await using _snapshot = held.snapshot
    return fit(`lock, probe, lease, copy: ${held.record.evidence.level}, by ${held.record.evidence.snapshot?.method ?? 'copy'}`)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

async function askCapabilities(service: Service, signal: AbortSignal): Promise<Saying> {
  if (service.via === 'hooks') return warning('hooks: no lease ends by itself, and nobody says that a pause was continuous', 'embed the gate (`holdfast/gate`) when you can')
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

/** The contract of a quiesce, call by call, on a tenant that was named for it. It is resumed whatever happens. */
async function tryQuiesce(service: Service, tenant: TenantId, { hold: { ttlMs, drainTimeoutMs }, tenants: { roots } }: Settings, signal: AbortSignal): Promise<readonly Step[]> {
  const holder = `holdfast-doctor-${randomUUID()}`
  const quiesced = await attempt(() => service.quiesce(tenant, { holder, reason: 'contract test', ttlMs, maxHoldMs: ttlMs, drainTimeoutMs }, signal))
  if (quiesced instanceof Failure) return [unfit('service: quiesce', quiesced)]
  const steps: Step[] = []
  try {
    steps.push({ about: 'service: quiesce', ...judgeQuiesced(quiesced, ttlMs) })
    if (service.via === 'admin-api') steps.push(...(await tryWhileQuiesced(service, quiesced, holder, roots, signal)))
  } finally {
    steps.push(await step('service: resume', () => tryResume(service, quiesced)))
  }
  if (service.via === 'admin-api') steps.push(await step('service: resume again', () => tryResume(service, quiesced)))
  return steps
}

function judgeQuiesced({ openHandles, expiresInMs, files, via }: Quiesced, ttlMs: number): Saying {
  if (openHandles > 0) return broken(`it keeps ${openHandles} handles open`)
  if (expiresInMs > ttlMs) return broken(`its lease of ${expiresInMs} ms is longer than the ${ttlMs} ms that were asked for`)
  if (via === 'admin-api' && (files ?? []).length === 0) return broken('it names no files')
  return fit(via === 'hooks' ? 'the command ended well' : `drained, closed, ${files?.length ?? 0} files named, ends in ${expiresInMs} ms`)
}

async function tryWhileQuiesced(service: Service, quiesced: Quiesced, holder: string, roots: readonly string[], signal: AbortSignal): Promise<readonly Step[]> {
  const { tenant } = quiesced
  return [
    await step('service: status while quiesced', async () => {
      const { state, healthy } = await service.tenant(tenant, signal)
      if (state !== 'quiesced') return broken(`its state is ${state}`)
      return healthy ? fit('quiesced, and healthy, so that no monitor restarts the service') : broken('it says that it is unhealthy: a monitor would restart the service in the middle of a copy')
    }),
    await step('service: files while quiesced', async () => {
      const unseen = await requireStill(quiesced, roots)
      return fit(`they are those that it names, and nobody has them open${unseen.length === 0 ? '' : ` as far as we may look (not at: ${unseen.join('; ')})`}`)
    }),
    await step('service: lease is listed', async () => ((await service.leases(signal)).some((lease) => lease.holder === holder) ? fit('found by its holder') : broken('the lease is not listed'))),
    await step('service: no nesting', async () => {
      const second = await attempt(() => service.quiesce(tenant, { holder: `${holder}-2`, reason: 'contract test', ttlMs: 1_000, maxHoldMs: 1_000, drainTimeoutMs: 100 }, signal))
      return second instanceof Failure && second.code === 'SERVICE_BUSY' ? fit('a second quiesce is refused') : broken('a second quiesce was not refused with 409')
    }),
    await step('service: renew', async () => ((await service.renew(quiesced, signal)).expiresInMs > 0 ? fit('renewed') : broken('a renewed lease has no time left'))),
    await step('service: a wrong lease changes nothing', async () => {
      const wrong = await attempt(() => service.resume({ tenant, leaseId: randomUUID(), fence: quiesced.fence }, signal))
      const { state } = await service.tenant(tenant, signal)
      return state === 'quiesced' ? fit(wrong instanceof Failure ? 'refused' : `answered ${wrong.endedBy}`) : broken('a resume with another lease id ended the quiesce')
    }),
  ]
}

async function tryResume(service: Service, quiesced: Quiesced): Promise<Saying> {
  const resumed = await service.resume(quiesced, AbortSignal.timeout(10_000))
  if (service.via === 'hooks') return fit('the command ended well')
  const { state, healthy, lastError } = await service.tenant(quiesced.tenant, AbortSignal.timeout(10_000))
  if (state !== 'active') throw new Failure('RESUME_FAILED', `after the resume its state is ${state}`)
  if (!healthy) return broken(`after the resume it is unhealthy: ${lastError ?? 'no reason is given'}`)
  if (resumed.continuous !== true) return broken('it does not say that the quiesce was continuous')
  if (resumed.bootId !== quiesced.bootId) return broken('its boot id changed')
  return fit(`active and healthy, held ${resumed.heldMs ?? '?'} ms, continuous`)
}
