/**
 * What the gate knows of tenants that something is going on in. A tenant of which nothing is known is active and costs
 * no memory.
 */
import type { Lease } from './lease.ts'
import { Turnstile } from './turnstile.ts'

export type Serving = 'active' | 'draining' | 'quiesced' | 'resuming'

export interface TenantRecord {
  readonly id: string
  readonly turnstile: Turnstile
  serving: Serving
  lease: Lease | null
  /** Why the tenant could not be taken up again; null once it was. */
  lastError: string | null
  /** The next attempt to take it up. */
  attempt: NodeJS.Timeout | null
}

export class Tenants {
  readonly #records = new Map<string, TenantRecord>()

  /** The record of a tenant, made when there is none. */
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

  /** Forgets a record that says nothing. */
  tidy(record: TenantRecord): void {
    if (record.serving === 'active' && record.lastError === null && record.turnstile.idle)
      this.#records.delete(record.id)
  }

  /** All that are on the way into or out of a quiesce, or in one. */
  paused(): TenantRecord[] {
    return [...this.#records.values()].filter((record) => record.serving !== 'active')
  }

  all(): Iterable<TenantRecord> {
    return this.#records.values()
  }
}
