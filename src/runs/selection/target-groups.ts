/** The targets that one hold takes together: all files of a tenant, or one bare file. Pure. */

import type { TenantId } from '../../model/brand.ts'
import type { NonEmpty } from '../../model/result/verdict.ts'
import type { Target } from '../begin/target.ts'

export type TargetGroup = NonEmpty<Target>

/** In the order of their first files. */
export function groupTargets(targets: readonly Target[]): readonly TargetGroup[] {
  const groups: [Target, ...Target[]][] = []
  const ofTenant = new Map<TenantId, [Target, ...Target[]]>()
  for (const target of targets) {
    const group = target.tenant === null ? undefined : ofTenant.get(target.tenant)
    if (group) {
      group.push(target)
      continue
    }
    const begun: [Target, ...Target[]] = [target]
    groups.push(begun)
    if (target.tenant !== null) ofTenant.set(target.tenant, begun)
  }
  return groups
}
