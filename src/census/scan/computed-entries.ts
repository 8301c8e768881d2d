/**
 * Entries that only SQL can compute: of partial indexes, expressions and virtual generated columns. SQLite streams what
 * such an index must hold.
 */

import type { ColumnValue } from '../../sqlite/column-value.ts'
import type { CensusPlan, IndexPlan } from '../plan.ts'
import { Columns } from '../record/columns.ts'
import { Fingerprint } from '../record/fingerprint.ts'
import { addEntry } from './tally.ts'
import type { CensusTally } from './tally.ts'

/** Adds streamed entries to the sums of a tally. */
export class ComputedEntries {
  readonly #prints: ComputedPrints
  readonly #tally: CensusTally

  constructor(plan: CensusPlan, tally: CensusTally) {
    this.#prints = new ComputedPrints(plan, tally.key)
    this.#tally = tally
  }

  /** @param values all columns of the entry in the order of the plan's parts, including those that name the row */
  add(tree: number, values: readonly ColumnValue[]): void {
    const print = this.#prints.of(tree, values)
    addEntry(this.#tally, tree, 1, print.low, print.high)
  }
}

/** Takes the fingerprints of entries that SQLite computed. */
export class ComputedPrints {
  readonly #plan: CensusPlan
  readonly #print: Fingerprint
  readonly #columns: Columns

  constructor(plan: CensusPlan, key: readonly [number, number]) {
    this.#plan = plan
    this.#print = new Fingerprint(key)
    this.#columns = new Columns(
      Math.max(1, ...plan.trees.map((tree) => (tree.kind === 'index' ? tree.parts.length : 0))),
    )
  }

  of(tree: number, values: readonly ColumnValue[]): Fingerprint {
    const index = this.#plan.trees[tree] as IndexPlan
    const print = this.#print
    this.#columns.take(values)
    print.begin()
    let columns = values.length
    if (this.#plan.trees[index.table]?.kind === 'rowid-table') {
      columns--
      print.rowid(this.#columns.low[columns] ?? 0, this.#columns.high[columns] ?? 0)
    }
    for (let k = 0; k < columns; k++) print.column(this.#columns, k)
    print.end()
    return print
  }
}
