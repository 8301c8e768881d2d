/** What can be mended without a backup. */

import type { Remedy } from '../../model/result/verdict.ts'

/**
 * `rebuild`: these indexes by REINDEX, these full-text tables by the rebuild of their own module. `rewrite`: all tables
 * are copied into a new file, which leaves out wrong free lists, leaked pages and wrong pointer maps.
 */
export type MendOrder =
  | { readonly do: 'rebuild'; readonly indexes: readonly string[]; readonly fts: readonly string[] }
  | { readonly do: 'rewrite' }

/** @returns null if the file cannot be mended from what it holds itself */
export function mendingOf({ do: todo, indexes, fts = [], rewrite }: Remedy): MendOrder | null {
  if (todo !== 'rebuild') return null
  if (rewrite === true) return { do: 'rewrite' }
  return { do: 'rebuild', indexes, fts: fts.map(({ name }) => name) }
}
