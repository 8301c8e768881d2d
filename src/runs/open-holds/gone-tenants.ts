/** Tenants with an open hold that the service does not know any more: they will never be seen serving. */

import { nullOnAbort, startDeadline } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import type { OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Service } from '../../service/port.ts'
import { isGone } from '../begin/registry.ts'

/** Each call has a deadline of its own. */
const unhurried = new AbortController().signal
const listingMsMax = 1_000

/** The service's list of tenants, asked for once. */
export class TenantListing {
  readonly #service: Service
  readonly #ledger: Pick<Ledger, 'lastResults'>
  readonly #named: boolean
  #ids: Promise<ReadonlySet<TenantId> | null> | null = null

  /** @param named true if a person named the tenant: then an empty list of tenants is believed as well */
  constructor(service: Service, ledger: Pick<Ledger, 'lastResults'>, named: boolean) {
    this.#service = service
    this.#ledger = ledger
    this.#named = named
  }

  /** True if the service answers, and knows neither the tenant nor a lease of this holder. False in doubt. */
  async lacks({ tenant, holder }: OpenHold): Promise<boolean> {
    this.#ids ??= this.#ask()
    const ids = await this.#ids
    if (ids === null || ids.has(tenant)) return false
    if (this.#service.via !== 'admin-api') return true
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

  /** The same, and false if the answer takes long: a tenant that exists must not stay paused for it. */
  async lacksQuickly(hold: OpenHold): Promise<boolean> {
    using deadline = startDeadline(listingMsMax)
    return (await Promise.race([this.lacks(hold), nullOnAbort(deadline.signal)])) === true
  }

  /** null if there is no answer, or one that cannot be true. */
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
