/** The service's list of tenants is the truth (I3.1); what the ledger remembers is compared with it, never merged silently. */
import type { TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { LastResult } from '../ledger/ledger.ts'
import type { RegisteredTenant, Service } from '../service/port.ts'
import type { Target } from './crew.ts'

export interface Registry {
  readonly tenants: readonly RegisteredTenant[]
  /** Tenants that the ledger knows and the service no longer lists; each is named once. */
  readonly gone: readonly LastResult[]
}

/** @throws {Failure} REGISTRY_STALE when the list cannot be the truth; ADMIN_UNREACHABLE and the like */
export async function readRegistry(service: Service, remembered: readonly LastResult[], signal: AbortSignal): Promise<Registry> {
  const tenants = await service.tenants(signal)
  const listed = new Set(tenants.map(({ id }) => id))
  if (listed.size < tenants.length) throw new Failure('REGISTRY_STALE', 'the service lists a tenant twice')
  const known = remembered.filter(({ failure }) => failure !== 'TENANT_GONE')
  if (tenants.length === 0 && known.length > 0) throw new Failure('REGISTRY_STALE', `the service lists no tenants, and ${known.length} files of tenants are known`)
  return { tenants, gone: known.filter(({ tenant }) => !listed.has(tenant)) }
}

/** One target for each database file of each tenant. */
export const targetsOf = (tenants: readonly RegisteredTenant[]): readonly Target[] =>
  tenants.flatMap(({ id, files }) => files.map((named) => ({ tenant: id, named })))

/** @throws {Failure} TENANT_UNKNOWN naming the ids that the service does not list */
export function pickTenants(tenants: readonly RegisteredTenant[], ids: readonly TenantId[]): readonly RegisteredTenant[] {
  const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  const unknown = ids.filter((id) => !byId.has(id))
  if (unknown.length > 0) throw new Failure('TENANT_UNKNOWN', `the service does not list ${unknown.map((id) => JSON.stringify(id)).join(', ')}`)
  return [...new Set(ids)].flatMap((id) => byId.get(id) ?? [])
}
