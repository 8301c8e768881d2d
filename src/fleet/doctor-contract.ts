/** The doctor tries the admin API's contract on one tenant, step by step (interfaces.md, Admin API). */
import { randomUUID } from 'node:crypto'
import type { Settings } from '../config/settings.ts'
import { Announcement } from '../hold/announcement.ts'
import type { Guardian } from '../hold/guardian.ts'
import { resumeUntilSeen, type Sight } from '../hold/resume.ts'
import { requireStill } from '../hold/still-files.ts'
import { monotonicMs } from '../host/clock.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { Quiesced, Service } from '../service/port.ts'
import { attempt, broken, fit, step, unfit, type Saying, type Step } from './doctor-words.ts'

export interface Trial {
  readonly service: Service
  readonly ledger: Ledger
  readonly guardian: Guardian
  readonly tenant: TenantId
  readonly settings: Settings
  readonly signal: AbortSignal
}

/**
 * The contract of a quiesce, call by call, on a tenant that was named for it. It is announced in the ledger as any hold is, and resumed whatever happens: what a
 * crash leaves open is resumed by the guardian, or by the next start, or by `holdfast resume`.
 * @throws {Failure} TENANT_UNKNOWN, GUARDIAN_LOST
 */
export async function tryContract({ service, ledger, guardian, tenant, settings: { hold, tenants }, signal }: Trial): Promise<readonly Step[]> {
  const listed = (await service.tenants(signal)).find(({ id }) => id === tenant)
  if (listed === undefined) throw new Failure('TENANT_UNKNOWN', `the service does not list ${JSON.stringify(tenant)}`)
  const { ttlMs, drainTimeoutMs } = hold
  const longestMs = service.quiesceMsMax(drainTimeoutMs) + ttlMs
  await using announced = new Announcement({ tenant, ledger, longestMs })
  await announced.write()
  announced.handOver()
  const { holder } = announced
  const endsByMs = monotonicMs() + longestMs
  await guardian.ready()
  using _guarded = guardian.guard({ tenant, holder, endsByMs })
  const quiesced = await attempt(() => service.quiesce(tenant, { holder, reason: 'contract test', ttlMs, maxHoldMs: ttlMs, drainTimeoutMs }, signal))
  const ended = (how: Sight['how'], heldMs: number | null): Promise<void> => ledger.append({ kind: 'hold-ended', tenant, holder, how, heldMs })
  /** @returns null once it was seen serving */
  const seekAndResume = async (): Promise<Failure | null> => {
    const sight = await attempt(() => resumeUntilSeen({ service, tenant, holder, answer: quiesced instanceof Failure ? null : quiesced, endsByMs, wasHealthy: false, resumed: null }))
    // A ledger that fails too must not hide that the tenant may stand still.
    if (sight instanceof Failure) await ledger.append({ kind: 'resume-failed', tenant, holder, code: sight.code }).catch(() => undefined)
    else await ended(sight.how, sight.resumed?.heldMs ?? null)
    return sight instanceof Failure ? sight : null
  }
  if (quiesced instanceof Failure) {
    const pausedNobody = quiesced.tenantState === 'untouched' || quiesced.tenantState === 'active'
    if (pausedNobody) await ended('never-began', null)
    return [unfit('service: quiesce', (pausedNobody ? null : await seekAndResume()) ?? quiesced.withTenant('active'))]
  }
  const { leaseId, fence } = quiesced
  const steps: Step[] = []
  try {
    await ledger.append({ kind: 'hold-quiesced', tenant, holder, leaseId, fence })
    steps.push({ about: 'service: quiesce', ...judgeQuiesced(quiesced, ttlMs) })
    if (service.via === 'admin-api') steps.push(...(await tryWhileQuiesced(service, quiesced, listed.files, holder, tenants.roots, signal)))
  } finally {
    const resume = await step('service: resume', () => tryResume(service, quiesced))
    if (resume.outcome === 'fit') await ended('resumed', null)
    const stillPaused = resume.outcome === 'fit' ? null : await seekAndResume()
    // A resume that failed at first, and a tenant that was seen serving in the end: the contract is broken, and nobody stands still.
    const seen: Step = resume.outcome === 'paused' ? { ...resume, outcome: 'unfit', next: 'it serves again by now; show the owner of the service this step' } : resume
    steps.push(stillPaused ? unfit('service: resume', stillPaused) : seen)
  }
  if (service.via === 'admin-api' && steps.at(-1)?.outcome === 'fit') steps.push(await step('service: resume again', () => tryResume(service, quiesced)))
  return steps
}

function judgeQuiesced({ openHandles, expiresInMs, files, via }: Quiesced, ttlMs: number): Saying {
  if (openHandles > 0) return broken(`it keeps ${openHandles} handles open`)
  if (expiresInMs > ttlMs) return broken(`its lease of ${expiresInMs} ms is longer than the ${ttlMs} ms that were asked for`)
  if (via === 'admin-api' && (files ?? []).length === 0) return broken('it names no files')
  return fit(via === 'hooks' ? 'the command ended well' : `drained, closed, ${files?.length ?? 0} files named, ends in ${expiresInMs} ms`)
}

async function tryWhileQuiesced(service: Service, quiesced: Quiesced, listed: readonly string[], holder: string, roots: readonly string[], signal: AbortSignal): Promise<readonly Step[]> {
  const { tenant } = quiesced
  return [
    await step('service: status while quiesced', async () => {
      const { state, healthy } = await service.tenant(tenant, signal)
      if (state !== 'quiesced') return broken(`its state is ${state}`)
      return healthy ? fit('quiesced, and healthy, so that no monitor restarts the service') : broken('it says that it is unhealthy: a monitor would restart the service in the middle of a copy')
    }),
    await step('service: files while quiesced', async () => {
      const unseen = await requireStill(quiesced, listed, roots)
      return fit(`the answer names all files that the service lists, and no process has them open${unseen.length === 0 ? '' : ` (not looked at: ${unseen.join('; ')})`}`)
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

/** Each call has the deadline that is configured, and a resume is not interrupted. */
const unhurried = new AbortController().signal

async function tryResume(service: Service, quiesced: Quiesced): Promise<Saying> {
  const resumed = await service.resume(quiesced, unhurried)
  if (service.via === 'hooks') return fit('the command ended well')
  const { state, healthy, lastError } = await service.tenant(quiesced.tenant, unhurried)
  if (state !== 'active') throw new Failure('RESUME_FAILED', `after the resume its state is ${state}`)
  if (!healthy) return broken(`after the resume it is unhealthy: ${lastError ?? 'no reason is given'}`)
  if (resumed.continuous !== true) return broken('it does not say that the quiesce was continuous')
  if (resumed.bootId !== quiesced.bootId) return broken('its boot id changed')
  return fit(`active and healthy, held ${resumed.heldMs ?? '?'} ms, continuous`)
}
