/**
 * The gate's records of tenants that are not simply active. A tenant without a record is active and takes no memory.
 */
import type { Lease } from './lease.ts'
import { Turnstile } from './turnstile.ts'

export type Serving = 'active' | 'draining' | 'quiesced' | 'resuming'

export interface TenantRecord {
  readonly id: string
  readonly turnstile: Turnstile
  serving: Serving
  lease: Lease | null
  /** Why the tenant could not be reopened; null once it was. */
  lastError: string | null
  /** The next attempt to reopen it. */
  attempt: NodeJS.Timeout | null
}

export class Tenants {
  readonly #records = new Map<string, TenantRecord>()

  /** The record of a tenant, which is made if there is none. */
  of(id: string): TenantRecord {
    const known = this.#records.get(id)
    if (known) return known
    const record: TenantRecord = {
      id,
      turnstile: new Turnstile(id, () => this.tidy(record)),
      serving: 'active',
      lease: null,
      lastError: null,
      attempt: null,
    }
    this.#records.set(id, record)
    return record
  }

  peek(id: string): TenantRecord | null {
    return this.#records.get(id) ?? null
  }

  servingOf(id: string): Serving {
    return this.peek(id)?.serving ?? 'active'
  }

  /** Removes a record without content. */
  tidy(record: TenantRecord): void {
    if (record.serving === 'active' && record.lastError === null && record.turnstile.idle)
      this.#records.delete(record.id)
  }

  /** All tenants that are quiesced, or on the way into or out of it. */
  paused(): TenantRecord[] {
    return [...this.#records.values()].filter((record) => record.serving !== 'active')
  }

  all(): Iterable<TenantRecord> {
    return this.#records.values()
  }
}
