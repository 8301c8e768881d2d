/** What must hold while the tenant stands still, and what must not end its lease. */

import { randomUUID } from 'node:crypto'
import type { Quiesced } from '../../service/port.ts'
import { attempt, broken, fit, skipped, step, tooSlow, type StepOutcome, type DoctorStep } from '../steps.ts'
import { DoctorHold, type DoctorLease, type ApiTrial } from './doctor-hold.ts'
import { isRefusal, wrongRefusal } from './judge-answer.ts'
import { leaseIn, TenantCalls } from './tenant-calls.ts'
import { watchQuiesced, requireFilesClosed } from './verify-quiesced.ts'

/** Requests of the tenant that come within this are seen. */
const watchMs = 300

const nestedTtlMs = 1_000

export interface QuiescedTenant {
  /**
   * Until when the lease surely stands, on the clock of `performance`. What is seen later says nothing against the
   * service.
   */
  surelyUntil: number
  /** A second lease that must not be there: over only when the tenant serves, after the first one. */
  nested: { readonly held: DoctorHold; readonly lease: DoctorLease | null } | null
}

/** @param standing moved on by each renewal; told of a lease that was granted beside the first */
export async function tryWhileQuiesced(
  trial: ApiTrial,
  quiesced: Quiesced,
  standing: QuiescedTenant,
): Promise<readonly DoctorStep[]> {
  const {
    service,
    guardian,
    tenant,
    files,
    settings: {
      tenants: { roots },
      hold,
    },
    signal,
    wire,
  } = trial
  const calls = new TenantCalls(trial)
  const { leaseId, fence, holder } = quiesced
  const ours = { leaseId, fence: fence ?? 0 }
  const stranger = { leaseId: randomUUID(), fence: ours.fence }
  const steps: DoctorStep[] = []
  let stands = true
  /** @throws {Failure} as Service.renew */
  const renew = async (): Promise<number> => {
    const askedAt = performance.now()
    const { expiresInMs } = await service.renew(quiesced, signal)
    standing.surelyUntil = Math.max(standing.surelyUntil, askedAt + Math.min(expiresInMs, hold.ttlMs))
    return expiresInMs
  }
  const tried = async (about: string, look: () => Promise<StepOutcome>): Promise<void> => {
    if (!stands) return void steps.push(skipped(about, 'the tenant no longer stands still'))
    // Where the service or we are slow. Whether a renewal does anything is tried by a step of its own.
    if (standing.surelyUntil - performance.now() < hold.ttlMs / 2) await attempt(renew)
    const found = await step(about, look)
    stands = performance.now() < standing.surelyUntil && stands
    steps.push(
      found.outcome === 'fit' || stands || performance.now() < standing.surelyUntil
        ? found
        : skipped(about, tooSlow(hold.ttlMs), 'raise hold.ttl'),
    )
  }
  /** A request that must change nothing. @param wrong what is wrong with its answer */
  const withoutEffect = async (wrong: string | null): Promise<StepOutcome> => {
    const state = await calls.state()
    stands = state === 'quiesced'
    if (!stands) return broken(`it ended the quiesce: the state is ${state}`)
    return wrong === null ? fit('refused, and it still stands still') : broken(wrong)
  }

  await tried('service: status while quiesced', async () => {
    const { state, healthy, lease } = await service.tenant(tenant, signal)
    if (state !== 'quiesced') return broken(`its state is ${state}`)
    if (lease?.leaseId !== leaseId || lease.fence !== fence || lease.holder !== holder)
      return broken('it does not show the lease that it granted')
    return healthy
      ? fit('quiesced, and healthy, so that no monitor restarts the service')
      : broken('it says that it is unhealthy: a monitor would restart the service in the middle of a copy')
  })
  await tried('service: files while quiesced', () => tryFiles(quiesced, files, roots))
  await tried('service: nothing is served', async () => {
    const unwatched = await watchQuiesced(quiesced, roots, guardian, watchMs, signal)
    return fit(
      unwatched === null
        ? `nobody opened a file of it in ${watchMs} ms`
        : `no file of it changed in ${watchMs} ms (opens are not seen here: ${unwatched})`,
    )
  })
  await tried('service: lease is listed', async () => {
    const found = (await service.leases(signal)).find((lease) => lease.holder === holder)
    if (!found) return broken('the lease is not listed')
    if (found.leaseId !== leaseId || found.fence !== fence || found.tenant !== tenant)
      return broken('the lease is listed with another tenant, id or fence')
    const { json } = await wire.ask({ method: 'GET', path: '/quiesce' }, signal)
    return (json as { readonly inUse: number }).inUse >= 1
      ? fit('found by its holder')
      : broken('a lease stands, and inUse is 0')
  })
  await tried('service: no nesting', async () => {
    const held = await DoctorHold.announce(trial, nestedTtlMs)
    standing.nested = { held, lease: null }
    const second = await calls.quiesce(calls.terms(held.holder, nestedTtlMs))
    const granted = leaseIn(second)
    if (isRefusal(second)) {
      standing.nested = null
      await held.ended('never-began', null)
    } else standing.nested = { held, lease: granted }
    if (granted) await calls.resume(granted)
    return withoutEffect(
      granted ? 'a second lease was granted beside the first' : wrongRefusal(second, 409, 'already-quiesced'),
    )
  })
  await tried('service: renew', async () => {
    const expiresInMs = await renew()
    return expiresInMs > 0 && expiresInMs <= hold.ttlMs
      ? fit(`renewed, ends in ${expiresInMs} ms`)
      : broken(`after a renewal ${expiresInMs} ms are left, of ${hold.ttlMs} ms that were asked for`)
  })
  await tried('service: renewal with a wrong fence', async () =>
    withoutEffect(wrongRefusal(await calls.renew(ours, { fence: ours.fence + 1 }), 409, 'fence-mismatch')),
  )
  await tried('service: renewal with an unknown field', async () =>
    withoutEffect(wrongRefusal(await calls.renew(ours, { fence, force: true }), 400, 'unknown-field')),
  )
  await tried('service: renewal of an unknown lease', async () =>
    withoutEffect(wrongRefusal(await calls.renew(stranger, { fence }), 410, 'lease-expired')),
  )
  await tried('service: resume with an unknown parameter', async () =>
    withoutEffect(wrongRefusal(await calls.resume(ours, `?fence=${fence}&force=true`), 400, 'unknown-field')),
  )
  await tried('service: resume without a fence', async () =>
    withoutEffect(wrongRefusal(await calls.resume(ours, ''), 400, 'invalid-request')),
  )
  await tried('service: a wrong lease changes nothing', async () =>
    withoutEffect(wrongRefusal(await calls.resume(stranger), 410, 'lease-expired')),
  )
  await tried('service: a wrong fence changes nothing', async () =>
    withoutEffect(wrongRefusal(await calls.resume({ leaseId, fence: ours.fence + 1 }), 409, 'fence-mismatch')),
  )
  return steps
}

/** Hooks name no files: those in the list are looked at. */
export async function tryFiles(
  quiesced: Quiesced,
  listed: readonly string[],
  roots: readonly string[],
): Promise<StepOutcome> {
  const unseen = await requireFilesClosed(quiesced, listed, roots)
  const unlooked = unseen.length === 0 ? '' : ` (not looked at: ${unseen.join('; ')})`
  return fit(
    quiesced.via === 'hooks'
      ? `no process has a listed file open${unlooked}`
      : `the answer names all files that the service lists, and no process has them open${unlooked}`,
  )
}
