/** What must hold while the tenant is quiesced, and what must not end its lease. */

import { randomUUID } from 'node:crypto'
import type { WireAnswer } from '../../service/client/wire.ts'
import type { QuiesceAnswer } from '../../service/port.ts'
import { attempt, broken, fit, skipped, step, tooSlow, type DoctorStep, type StepOutcome } from '../steps.ts'
import { DoctorHold, type ApiTrial, type DoctorLease } from './doctor-hold.ts'
import { isRefusal, wrongRefusal } from './judge-answer.ts'
import { leaseIn, TenantCalls } from './tenant-calls.ts'
import { requireFilesClosed, watchQuiesced } from './verify-quiesced.ts'

/** Requests of the tenant that come within this time are seen. */
const watchMs = 300

const nestedTtlMs = 1_000

export interface QuiescedTenant {
  /**
   * Until when the lease must stand, on the clock of `performance`. What is observed later proves nothing against the
   * service.
   */
  surelyUntil: number
  /** A second lease that the service should have refused. It is ended after the first one, until the tenant serves. */
  nested: { readonly held: DoctorHold; readonly lease: DoctorLease | null } | null
}

interface RefusedCall {
  readonly about: string
  readonly ask: (trial: QuiescedTrial) => Promise<WireAnswer>
  /** The answer that it must get. */
  readonly status: number
  readonly problem: string
}

const wrongRequests: readonly RefusedCall[] = [
  {
    about: 'service: renewal with a wrong fence',
    ask: ({ calls, lease }) => calls.renew(lease, { fence: lease.fence + 1 }),
    status: 409,
    problem: 'fence-mismatch',
  },
  {
    about: 'service: renewal with an unknown field',
    ask: ({ calls, lease, fence }) => calls.renew(lease, { fence, force: true }),
    status: 400,
    problem: 'unknown-field',
  },
  {
    about: 'service: renewal of an unknown lease',
    ask: ({ calls, unknownLease, fence }) => calls.renew(unknownLease, { fence }),
    status: 410,
    problem: 'lease-expired',
  },
  {
    about: 'service: resume with an unknown parameter',
    ask: ({ calls, lease, fence }) => calls.resume(lease, `?fence=${fence}&force=true`),
    status: 400,
    problem: 'unknown-field',
  },
  {
    about: 'service: resume without a fence',
    ask: ({ calls, lease }) => calls.resume(lease, ''),
    status: 400,
    problem: 'invalid-request',
  },
  {
    about: 'service: a wrong lease changes nothing',
    ask: ({ calls, unknownLease }) => calls.resume(unknownLease),
    status: 410,
    problem: 'lease-expired',
  },
  {
    about: 'service: a wrong fence changes nothing',
    ask: ({ calls, lease }) => calls.resume({ ...lease, fence: lease.fence + 1 }),
    status: 409,
    problem: 'fence-mismatch',
  },
]

/** @param standing changed by each renewal, and by a lease that is granted beside the first */
export async function tryWhileQuiesced(
  trial: ApiTrial,
  quiesced: QuiesceAnswer,
  standing: QuiescedTenant,
): Promise<readonly DoctorStep[]> {
  const tried = new QuiescedTrial(trial, quiesced, standing)
  const steps = [
    await tried.step('service: status while quiesced', () => tried.tryStatus()),
    await tried.step('service: files while quiesced', () => tried.tryFiles()),
    await tried.step('service: nothing is served', () => tried.tryWatch()),
    await tried.step('service: lease is listed', () => tried.tryListing()),
    await tried.step('service: no nesting', () => tried.tryNesting()),
    await tried.step('service: renew', () => tried.tryRenewal()),
  ]
  for (const { about, ask, status, problem } of wrongRequests)
    steps.push(
      await tried.step(about, async () => tried.withoutEffect(wrongRefusal(await ask(tried), status, problem))),
    )
  return steps
}

class QuiescedTrial {
  readonly calls: TenantCalls
  readonly lease: { readonly leaseId: string; readonly fence: number }
  readonly unknownLease: { readonly leaseId: string; readonly fence: number }
  /** As the service gave it. */
  readonly fence: number | null
  readonly #trial: ApiTrial
  readonly #quiesced: QuiesceAnswer
  readonly #standing: QuiescedTenant
  #isQuiesced = true

  constructor(trial: ApiTrial, quiesced: QuiesceAnswer, standing: QuiescedTenant) {
    this.#trial = trial
    this.#quiesced = quiesced
    this.#standing = standing
    this.calls = new TenantCalls(trial)
    this.fence = quiesced.fence
    this.lease = { leaseId: quiesced.leaseId, fence: quiesced.fence ?? 0 }
    this.unknownLease = { leaseId: randomUUID(), fence: this.lease.fence }
  }

  /** Skips the step if the tenant is not quiesced any more, or if the lease may have ended before the step. */
  async step(about: string, work: () => Promise<StepOutcome>): Promise<DoctorStep> {
    const { ttlMs } = this.#trial.settings.hold
    const standing = this.#standing
    if (!this.#isQuiesced) return skipped(about, 'the tenant is not quiesced any more')
    // For a slow service or machine. A step of its own tries whether a renewal prolongs the lease.
    if (standing.surelyUntil - performance.now() < ttlMs / 2) await attempt(() => this.#renew())
    const found = await step(about, work)
    this.#isQuiesced = performance.now() < standing.surelyUntil && this.#isQuiesced
    return found.outcome === 'fit' || this.#isQuiesced || performance.now() < standing.surelyUntil
      ? found
      : skipped(about, tooSlow(ttlMs), 'raise hold.ttl')
  }

  /** For a request that must change nothing. @param wrong what is wrong with its answer; null if nothing is */
  async withoutEffect(wrong: string | null): Promise<StepOutcome> {
    const state = await this.calls.state()
    this.#isQuiesced = state === 'quiesced'
    if (!this.#isQuiesced) return broken(`it ended the quiesce: the state is ${state}`)
    return wrong === null ? fit('refused, and the tenant stays quiesced') : broken(wrong)
  }

  async tryStatus(): Promise<StepOutcome> {
    const { service, tenant, signal } = this.#trial
    const { leaseId, fence, holder } = this.#quiesced
    const { state, healthy, lease } = await service.tenant(tenant, signal)
    if (state !== 'quiesced') return broken(`its state is ${state}`)
    if (lease?.leaseId !== leaseId || lease.fence !== fence || lease.holder !== holder)
      return broken('it does not show the lease that it granted')
    return healthy
      ? fit('quiesced, and healthy, so that no monitor restarts the service')
      : broken('it says that it is unhealthy: a monitor would restart the service in the middle of a copy')
  }

  tryFiles(): Promise<StepOutcome> {
    const { files, settings } = this.#trial
    return tryFiles(this.#quiesced, files, settings.tenants.roots)
  }

  async tryWatch(): Promise<StepOutcome> {
    const { guardian, settings, signal } = this.#trial
    const unwatched = await watchQuiesced(this.#quiesced, settings.tenants.roots, guardian, watchMs, signal)
    return fit(
      unwatched === null
        ? `no program opened a file of it in ${watchMs} ms`
        : `no file of it changed in ${watchMs} ms (opens are not seen here: ${unwatched})`,
    )
  }

  async tryListing(): Promise<StepOutcome> {
    const { service, tenant, wire, signal } = this.#trial
    const { leaseId, fence, holder } = this.#quiesced
    const found = (await service.leases(signal)).find((lease) => lease.holder === holder)
    if (!found) return broken('the lease is not listed')
    if (found.leaseId !== leaseId || found.fence !== fence || found.tenant !== tenant)
      return broken('the lease is listed with another tenant, id or fence')
    const { json } = await wire.ask({ method: 'GET', path: '/quiesce' }, signal)
    return (json as { readonly inUse: number }).inUse >= 1
      ? fit('found by its holder')
      : broken('there is a lease, and inUse is 0')
  }

  async tryNesting(): Promise<StepOutcome> {
    const held = await DoctorHold.announce(this.#trial, nestedTtlMs)
    this.#standing.nested = { held, lease: null }
    const second = await this.calls.quiesce(this.calls.terms(held.holder, nestedTtlMs))
    const granted = leaseIn(second)
    if (isRefusal(second)) {
      this.#standing.nested = null
      await held.recordEnd('never-began', null)
    } else this.#standing.nested = { held, lease: granted }
    if (granted) await this.calls.resume(granted)
    return this.withoutEffect(
      granted ? 'a second lease was granted beside the first' : wrongRefusal(second, 409, 'already-quiesced'),
    )
  }

  async tryRenewal(): Promise<StepOutcome> {
    const { ttlMs } = this.#trial.settings.hold
    const expiresInMs = await this.#renew()
    return expiresInMs > 0 && expiresInMs <= ttlMs
      ? fit(`renewed, ends in ${expiresInMs} ms`)
      : broken(`after a renewal ${expiresInMs} ms are left, of ${ttlMs} ms that were asked for`)
  }

  /** @throws {Failure} as `Service.renew` */
  async #renew(): Promise<number> {
    const { service, settings, signal } = this.#trial
    const askedAt = performance.now()
    const { expiresInMs } = await service.renew(this.#quiesced, signal)
    const standing = this.#standing
    standing.surelyUntil = Math.max(standing.surelyUntil, askedAt + Math.min(expiresInMs, settings.hold.ttlMs))
    return expiresInMs
  }
}

/** @param listed the files in the service's list. They are checked in the place of those of hooks, which name none. */
export async function tryFiles(
  quiesced: QuiesceAnswer,
  listed: readonly string[],
  roots: readonly string[],
): Promise<StepOutcome> {
  const unseen = await requireFilesClosed(quiesced, listed, roots)
  const limits = unseen.length === 0 ? '' : ` (not checked: ${unseen.join('; ')})`
  return fit(
    quiesced.via === 'hooks'
      ? `no process has a listed file open${limits}`
      : `the answer names all files that the service lists, and no process has them open${limits}`,
  )
}
