/** Patterns of tenant ids, as `--only` takes them. An id is any text, and no path. Pure. */

import { minimatch } from 'minimatch'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'

/**
 * `*` any text, also none, with `/` and a leading `.` in it; `?` one character; `[a-c]`, `[!a-c]`; `{a,b}`; a backslash
 * takes the next character as it is. An id is also matched by its own text.
 * @throws {Failure} USAGE for a pattern that is too long
 */
export function matchesId(id: TenantId, pattern: string): boolean {
  if (id === pattern) return true
  try {
    return minimatch(asName(id), asName(pattern), asShells)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new Failure('USAGE', `${JSON.stringify(`${pattern.slice(0, 40)}...`)}: ${error.message}`, { cause: error })
  }
}

/** For minimatch an id is no path: `/`, `.`, `!` and `#` are plain characters. */
const asName = (text: string): string => `x${text.replaceAll('/', '\u2215')}`
const asShells = { dot: true, nonegate: true, nocomment: true, noext: true, platform: 'linux' } as const

/** @throws {Failure} TENANT_UNKNOWN for patterns that match none of the ids */
export function requireMatches(patterns: readonly string[], ids: ReadonlySet<TenantId>): void {
  const idle = patterns.filter((pattern) => ![...ids].some((id) => matchesId(id, pattern)))
  if (idle.length === 0) return
  throw new Failure('TENANT_UNKNOWN', `no tenant matches ${idle.map((pattern) => JSON.stringify(pattern)).join(', ')}`)
}
