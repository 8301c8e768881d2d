/**
 * The service's list of tenants is the truth (I3.1). What the ledger knows is compared with it, and never added to it
 * silently.
 */

import type { LastResult } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { RegisteredTenant, Service } from '../../service/port.ts'
import { count } from '../../text/count.ts'
import type { Target } from './target.ts'

export interface ServiceRegistry {
  readonly tenants: readonly RegisteredTenant[]
  /**
   * Files that the ledger knows and the service no longer lists. Their tenant may still be listed. Each is reported
   * once.
   */
  readonly gone: readonly GoneFile[]
}

interface GoneFile {
  readonly tenant: TenantId
  readonly path: string
  readonly failure: Failure
}

/** True if the file was reported as gone, and no sweep has found it listed again. */
export const isGone = ({ failure }: LastResult): boolean => failure === 'TENANT_GONE' || failure === 'FILE_GONE'

/** @throws {Failure} REGISTRY_STALE if the list cannot be true; ADMIN_UNREACHABLE and the like */
export async function readRegistry(
  service: Service,
  lastResults: readonly LastResult[],
  signal: AbortSignal,
): Promise<ServiceRegistry> {
  const tenants = await service.tenants(signal)
  const listed = new Map(tenants.map(({ id, files }) => [id, new Set(files)]))
  if (listed.size < tenants.length) throw new Failure('REGISTRY_STALE', 'the service lists a tenant twice')
  const known = lastResults.filter((result) => !isGone(result))
  if (tenants.length === 0 && known.length > 0)
    throw new Failure(
      'REGISTRY_STALE',
      `the service lists no tenants, and ${count(known.length, 'file of a tenant is', 'files of tenants are')} known`,
    )
  const gone = known.filter(({ tenant, path }) => listed.get(tenant)?.has(path) !== true)
  return {
    tenants,
    gone: gone.map(({ tenant, path }) => ({ tenant, path, failure: goneFrom(tenant, path, listed.has(tenant)) })),
  }
}

const goneFrom = (tenant: TenantId, path: string, tenantIsListed: boolean): Failure =>
  tenantIsListed
    ? new Failure('FILE_GONE', `the service still lists ${tenant}, but no longer its file ${path}`)
    : new Failure('TENANT_GONE', `the service no longer lists ${tenant}`)

/** One target for each database file of each tenant, in the tenant's order; a file that is listed twice is one file. */
export const targetsOf = (tenants: readonly RegisteredTenant[]): readonly Target[] =>
  tenants.flatMap(({ id, files }) => [...new Set(files)].map((named) => ({ tenant: id, named })))

/**
 * @throws {Failure} TENANT_UNKNOWN, naming the ids that the service does not list; USAGE, naming those that it lists
 * without any file, because there would be no result for them
 */
export function pickTenants(
  tenants: readonly RegisteredTenant[],
  ids: readonly TenantId[],
): readonly RegisteredTenant[] {
  const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  const unknown = ids.filter((id) => !byId.has(id))
  if (unknown.length > 0)
    throw new Failure(
      'TENANT_UNKNOWN',
      `the service does not list ${unknown.map((id) => JSON.stringify(id)).join(', ')}`,
    )
  const picked = [...new Set(ids)].flatMap((id) => byId.get(id) ?? [])
  const empty = picked.filter(({ files }) => files.length === 0)
  if (empty.length === 0) return picked
  throw new Failure(
    'USAGE',
    `the service lists ${empty.map(({ id }) => JSON.stringify(id)).join(', ')} without any database file`,
    { hint: "there is nothing to check; if it should have one, correct the service's list of tenants" },
  )
}
