/** Takes the fingerprints of the entries that the indexes of a table must hold for one row. */

import { fromRowid } from '../plan.ts'
import type { CensusPlan, IndexPlan, KeyedTablePlan, RowidTablePlan } from '../plan.ts'
import { Columns } from '../record/columns.ts'
import type { Fingerprint } from '../record/fingerprint.ts'
import type { EntrySink } from './scan-context.ts'

/** What is the same for all rows of a table. Made once for a table. */
export interface TableTerms {
  readonly indexes: readonly { readonly tree: number; readonly sources: Int32Array }[]
  /** How many of the first columns the indexes need; all columns if the content goes into the digest. */
  readonly wanted: number
  readonly max: number
  /** The defaults of columns, for rows that are older than a column. */
  readonly absent: Columns
}

export function termsOf(plan: CensusPlan, table: RowidTablePlan | KeyedTablePlan, content: boolean): TableTerms {
  const indexes = table.indexes.flatMap((tree) => {
    const index = plan.trees[tree]
    return index?.kind === 'index' && index.entries === 'plain' ? [{ tree, sources: sourcesOf(index, table) }] : []
  })
  const needed = Math.max(0, ...indexes.flatMap(({ sources }) => [...sources]).map((source) => source + 1))
  const wanted = content ? table.columns.length : Math.max(needed, table.kind === 'keyed-table' ? table.key.length : 0)
  const absent = new Columns(table.columns.length)
  absent.take(table.columns.map((column) => column.absent))
  return { indexes, wanted, max: table.columns.length, absent }
}

/** The sources of the parts. The last part of an index on rowids is left out: the fingerprint begins with the rowid. */
const sourcesOf = (index: IndexPlan, table: RowidTablePlan | KeyedTablePlan): Int32Array =>
  Int32Array.from((table.kind === 'rowid-table' ? index.parts.slice(0, -1) : index.parts).map(({ source }) => source))

/**
 * Adds what the indexes must hold for a row.
 * @param print has been begun and marked: in a table with rowids after the rowid was added
 */
export function addExpected(
  terms: TableTerms,
  row: Columns,
  rowid: Columns,
  print: Fingerprint,
  sink: EntrySink,
  page: number,
  cell: number,
): void {
  for (const { tree, sources } of terms.indexes) {
    print.resume()
    for (let k = 0; k < sources.length; k++) {
      const source = sources[k] ?? 0
      if (source === fromRowid) print.column(rowid, 0)
      else if (source < row.count) print.column(row, source)
      else print.column(terms.absent, source)
    }
    print.end()
    sink.add(tree, 1, print.low, print.high, page, cell)
  }
}
