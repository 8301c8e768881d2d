/** The tenants that `status` is asked about. */

import type { LastResult, LedgerReader } from '../ledger/ledger.ts'
import { tenantId, type TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { StatusSelection } from '../report/status/status-view.ts'
import { isGone } from '../runs/begin/registry.ts'
import { matchesId, requireMatches } from '../runs/selection/id-pattern.ts'

export interface Choice {
  /** Names and patterns of the command line; null for all tenants. */
  readonly selection: StatusSelection | null
  has(tenant: TenantId): boolean
  /** A file that is gone counts only if its tenant is asked for by name and the ledger knows nothing else of it. */
  hasResult(result: LastResult): boolean
}

/**
 * @param ids tenants with results or holds, without those that are gone
 * @throws {Failure} TENANT_UNKNOWN for a name that the ledger does not know, and for a pattern that matches no tenant
 */
export async function chooseKnown(
  { tenant, only }: { readonly tenant?: readonly string[]; readonly only?: readonly string[] },
  ledger: LedgerReader,
  ids: ReadonlySet<TenantId>,
): Promise<Choice> {
  if (tenant === undefined && only === undefined) {
    return { selection: null, has: () => true, hasResult: (result) => !isGone(result) }
  }
  const names = new Set((tenant ?? []).map(tenantId))
  const patterns = only ?? []
  await requireKnown(names, ledger, ids)
  requireMatches(patterns, ids)
  const has = (id: TenantId): boolean => names.has(id) || patterns.some((pattern) => matchesId(id, pattern))
  const isOnlyResult = ({ tenant: id }: LastResult): boolean => names.has(id) && !ids.has(id)
  return {
    selection: { tenants: [...names], only: patterns },
    has,
    hasResult: (result) => (isGone(result) ? isOnlyResult(result) : has(result.tenant)),
  }
}

async function requireKnown(
  names: ReadonlySet<TenantId>,
  ledger: LedgerReader,
  ids: ReadonlySet<TenantId>,
): Promise<void> {
  const unknown: TenantId[] = []
  for (const name of names) if (!ids.has(name) && (await ledger.history(name, 1)).length === 0) unknown.push(name)
  if (unknown.length === 0) return
  const named = unknown.map((id) => JSON.stringify(id)).join(', ')
  throw new Failure('TENANT_UNKNOWN', `the ledger knows nothing of ${named}`)
}
