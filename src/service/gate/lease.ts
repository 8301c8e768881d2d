/**
 * Leases: the service's promise to stay quiesced for a time, on its own monotonic clock. They end by themselves (I1.1,
 * I4.1).
 */

/** How a lease ended. It is kept for an hour, because an answer may be lost and the request repeated. */
export interface EndedLease {
  readonly endedBy: 'holder' | 'expiry'
  /** From quiesced until the tenant was served again. */
  readonly heldMs: number
}

export interface LeaseTerms {
  readonly tenant: string
  readonly leaseId: string
  readonly fence: number
  readonly holder: string
  readonly ttlMs: number
  readonly maxHoldMs: number
}

/** The longest delay of setTimeout; longer limits are cut. */
const timerMsMax = 2 ** 31 - 1

export class Lease {
  readonly terms: LeaseTerms
  readonly quiescedAt = performance.now()
  readonly #onExpiry: () => void
  #expiresAt: number
  #timer: NodeJS.Timeout
  /** Set by the first caller that ends the lease; later callers wait for it too. */
  ending: Promise<EndedLease> | null = null

  constructor(terms: LeaseTerms, onExpiry: () => void) {
    this.terms = terms
    this.#onExpiry = onExpiry
    this.#expiresAt = this.quiescedAt + Math.min(terms.ttlMs, terms.maxHoldMs)
    this.#timer = this.#arm()
  }

  get expiresInMs(): number {
    return Math.max(0, Math.floor(this.#expiresAt - performance.now()))
  }

  /** True by the clock, also if a busy event loop has delayed the timer. */
  get isExpired(): boolean {
    return performance.now() >= this.#expiresAt
  }

  get heldMs(): number {
    return Math.max(0, Math.round(performance.now() - this.quiescedAt))
  }

  /** A full TTL from now, but not past the longest hold. */
  renew(): void {
    this.#expiresAt = Math.min(performance.now() + this.terms.ttlMs, this.quiescedAt + this.terms.maxHoldMs)
    clearTimeout(this.#timer)
    this.#timer = this.#arm()
  }

  /** The lease is being ended, so it does not expire any more. */
  disarm(): void {
    clearTimeout(this.#timer)
  }

  #arm(): NodeJS.Timeout {
    const delayMs = Math.min(Math.max(0, this.#expiresAt - performance.now()), timerMsMax)
    return setTimeout(this.#onExpiry, delayMs).unref()
  }
}

const keepMs = 3_600_000
const endedMax = 20_000

/** The ended leases, bounded in time and number. */
export class EndedLeases {
  readonly #ended = new Map<string, { readonly terms: LeaseTerms; readonly ended: EndedLease; readonly at: number }>()

  add(terms: LeaseTerms, ended: EndedLease): void {
    const now = performance.now()
    for (const [leaseId, { at }] of this.#ended) {
      if (now - at < keepMs && this.#ended.size < endedMax) break
      this.#ended.delete(leaseId)
    }
    this.#ended.set(terms.leaseId, { terms, ended, at: now })
  }

  find(tenant: string, leaseId: string): { readonly terms: LeaseTerms; readonly ended: EndedLease } | null {
    const found = this.#ended.get(leaseId)
    return found && found.terms.tenant === tenant && performance.now() - found.at < keepMs ? found : null
  }
}
