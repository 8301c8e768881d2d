/** Tenants that a hold stands open for and that the service knows no longer: nobody will ever see them serve. */

import { startDeadline } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import type { OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Service } from '../../service/port.ts'
import { isGone } from '../run/registry.ts'

/** Each call has a deadline of its own. */
const unhurried = new AbortController().signal
const listingMsMax = 1_000

/** Which tenants are there, asked for once. */
export class Listing {
  readonly #service: Service
  readonly #ledger: Pick<Ledger, 'lastResults'>
  readonly #named: boolean
  #ids: Promise<ReadonlySet<TenantId> | null> | null = null

  /** @param named whether a person named the tenant: then an empty list of tenants is believed as well */
  constructor(service: Service, ledger: Pick<Ledger, 'lastResults'>, named: boolean) {
    this.#service = service
    this.#ledger = ledger
    this.#named = named
  }

  /** The service answers, and surely knows neither the tenant nor a lease of this holder. */
  async lacks({ tenant, holder }: OpenHold): Promise<boolean> {
    this.#ids ??= this.#ask()
    const ids = await this.#ids
    if (ids === null || ids.has(tenant)) return false
    if (this.#service.via === 'hooks') return true
    const [status, leases] = await Promise.all([
      orFailure(this.#service.tenant(tenant, unhurried)),
      orFailure(this.#service.leases(unhurried)),
    ])
    return (
      status instanceof Failure &&
      status.code === 'ADMIN_REFUSED' &&
      !(leases instanceof Failure) &&
      !leases.some((lease) => lease.holder === holder)
    )
  }

  /** The same, and false where the answer takes its time: that must not keep a tenant waiting who is there. */
  async lacksAtFirstSight(hold: OpenHold): Promise<boolean> {
    using deadline = startDeadline(listingMsMax)
    const late = new Promise<boolean>((resolve) => {
      deadline.signal.addEventListener('abort', () => resolve(false), { once: true })
    })
    return await Promise.race([this.lacks(hold), late])
  }

  /** null for no answer, and for one that cannot be the truth. */
  async #ask(): Promise<ReadonlySet<TenantId> | null> {
    const tenants = await orFailure(this.#service.tenants(unhurried))
    if (tenants instanceof Failure) return null
    if (tenants.length === 0 && !this.#named && (await this.#knowsOthers())) return null
    return new Set(tenants.map(({ id }) => id))
  }

  async #knowsOthers(): Promise<boolean> {
    const results = await orFailure(this.#ledger.lastResults())
    return results instanceof Failure || results.some((result) => !isGone(result))
  }
}
