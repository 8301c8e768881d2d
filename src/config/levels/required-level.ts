/** Which seal level `hold.require` asks for, tenant by tenant. */

import type { TenantId } from '../../model/brand.ts'
import { matchesGlob } from '../../text/glob.ts'
import type { HoldConfiguration, RequiredLevel } from '../settings.ts'

/**
 * The weakest level that is accepted for a tenant: that of the first rule that fits, `sealed` if none does.
 * @param tenant null for a bare file, which only rules without `tenants` fit: it has no id
 */
export function requiredLevel(rules: HoldConfiguration['require'], tenant: TenantId | null): RequiredLevel {
  const fits = rules.find(
    ({ tenants }) => tenants === null || (tenant !== null && tenants.some((pattern) => matchesGlob(tenant, pattern))),
  )
  return fits?.level ?? 'sealed'
}
