/** The admin API's calls about one tenant, right and wrong ones. */

import { randomUUID } from 'node:crypto'
import { requestedDrainMs, type WireAnswer } from '../../service/client/wire.ts'
import type { ApiTrial, DoctorLease } from './doctor-hold.ts'

/** The calls of the admin API about one tenant, as raw requests and answers. */
export class TenantCalls {
  readonly #trial: ApiTrial
  readonly #path: string

  constructor(trial: ApiTrial) {
    this.#trial = trial
    this.#path = tenantPath(trial.tenant)
  }

  /** @param more replaces fields of a whole request; undefined leaves one out */
  terms(holder: string, ttlMs: number, more: object = {}): object {
    return {
      holder,
      reason: 'contract test',
      ttlMs,
      maxHoldMs: ttlMs,
      drainTimeoutMs: requestedDrainMs(this.#trial.settings.hold.drainTimeoutMs),
      ...more,
    }
  }

  quiesce(
    body: object,
    { key = randomUUID(), query = '' }: { readonly key?: string | null; readonly query?: string } = {},
  ): Promise<WireAnswer> {
    const { wire, settings, signal } = this.#trial
    const headers: Record<string, string> = key === null ? {} : { 'idempotency-key': key }
    const timeoutMs = settings.hold.drainTimeoutMs + wire.timeoutMs
    return wire.ask({ method: 'POST', path: `${this.#path}/quiesce${query}`, headers, body, timeoutMs }, signal)
  }

  renew({ leaseId }: DoctorLease, body: object): Promise<WireAnswer> {
    return this.#ask('POST', `/quiesce/${encodeURIComponent(leaseId)}/renew`, body)
  }

  /** @param query in the place of the right fence */
  resume({ leaseId, fence }: DoctorLease, query = `?fence=${fence}`): Promise<WireAnswer> {
    return this.#ask('DELETE', `/quiesce/${encodeURIComponent(leaseId)}${query}`)
  }

  status(query = ''): Promise<WireAnswer> {
    return this.#ask('GET', query)
  }

  /** @throws {Failure} as Service.servingStatus */
  async state(): Promise<string> {
    const { service, tenant, signal } = this.#trial
    return (await service.servingStatus(tenant, signal)).state
  }

  #ask(method: 'GET' | 'POST' | 'DELETE', below: string, body?: object): Promise<WireAnswer> {
    const { wire, signal } = this.#trial
    return wire.ask({ method, path: this.#path + below, ...(body === undefined ? {} : { body }) }, signal)
  }
}

export const tenantPath = (id: string): string =>
  `/tenants/${id === '.' || id === '..' ? id.replaceAll('.', '%2E') : encodeURIComponent(id)}`

/** The lease that an answer grants; null if it grants none. */
export function leaseIn({ status, json }: WireAnswer): DoctorLease | null {
  const { leaseId, fence } = (json ?? {}) as Partial<Record<string, unknown>>
  return status === 201 && typeof leaseId === 'string' && typeof fence === 'number' ? { leaseId, fence } : null
}
