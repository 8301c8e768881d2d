/** What can be mended without a backup. */

/**
 * `rebuild`: these indexes by REINDEX, these full-text tables by the rebuild of their own module. `rewrite`: all tables
 * are copied into a new file, which leaves out wrong free lists, leaked pages and wrong pointer maps.
 */
export type Mending =
  | { readonly do: 'rebuild'; readonly indexes: readonly string[]; readonly fts: readonly string[] }
  | { readonly do: 'rewrite' }
