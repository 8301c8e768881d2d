/** Patterns of tenant ids, as `--only` takes them. Pure. */

import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { matchesGlob } from '../../text/glob.ts'

/** As `matchesGlob`. @throws {Failure} USAGE for a pattern that is too long */
export function matchesId(id: TenantId, pattern: string): boolean {
  try {
    return matchesGlob(id, pattern)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new Failure('USAGE', `${JSON.stringify(`${pattern.slice(0, 40)}...`)}: ${error.message}`, { cause: error })
  }
}

/** @throws {Failure} TENANT_UNKNOWN for patterns that match none of the ids */
export function requireMatches(patterns: readonly string[], ids: ReadonlySet<TenantId>): void {
  const idle = patterns.filter((pattern) => ![...ids].some((id) => matchesId(id, pattern)))
  if (idle.length === 0) return
  throw new Failure('TENANT_UNKNOWN', `no tenant matches ${idle.map((pattern) => JSON.stringify(pattern)).join(', ')}`)
}
