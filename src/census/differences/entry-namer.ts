/** Reads the cells of unmatched entries again, to name the rows that they belong to. */

import type { RowKey, SalvagedValue } from '../../model/result/finding.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { ColumnValue } from '../../sqlite/column-value.ts'
import type { CensusPlan, IndexPlan } from '../plan.ts'
import { Columns } from '../record/columns.ts'
import { Fingerprint } from '../record/fingerprint.ts'
import { identityKey, rowidKey } from '../record/row-key.ts'
import { contentKey } from '../scan/row-content.ts'
import { CellReader } from './reread-cell.ts'
import { salvageColumnsOf, valuesAt } from './salvage.ts'

/** Bytes of values that all findings together list. */
const salvageBytesMax = 16 << 20

export interface UnmatchedEntry {
  /** 1: the table has the row and the index has no entry for it. -1: the index has the entry and the table no row. */
  readonly sign: 1 | -1
  /** Page of the row (1) or of the entry (-1); 0 if SQLite computed the entry. */
  readonly page: number
  readonly cell: number
  /** The entry as SQLite computed it; null for one that stands on a page. */
  readonly values: readonly ColumnValue[] | null
}

export interface NamedEntry {
  /** null if the cell cannot be read again. */
  readonly key: RowKey | null
  /** Two entries have the same one if they belong to the same row. The key cannot tell: a report cuts long keys. */
  readonly row: string
  /** Page of the row or of the entry; 0 if SQLite computed the entry. */
  readonly page: number
  /** What the entry holds beside the key; null for rows, and if the caller does not want values. */
  readonly values: readonly SalvagedValue[] | null
}

const unnamed = { key: null, row: '' } as const

export class EntryNamer {
  readonly #plan: CensusPlan
  readonly #cells: CellReader
  readonly #columns: Columns
  readonly #print = new Fingerprint(contentKey)
  #salvageBytesLeft: number

  constructor(plan: CensusPlan, source: PageSource, showValues: boolean) {
    this.#plan = plan
    this.#salvageBytesLeft = showValues ? salvageBytesMax : 0
    this.#cells = new CellReader(plan, source)
    this.#columns = new Columns(
      Math.max(1, ...plan.trees.map((tree) => (tree.kind === 'index' ? tree.parts.length : tree.columns.length))),
    )
  }

  name(index: IndexPlan, { sign, page, cell, values }: UnmatchedEntry): NamedEntry {
    const table = this.#plan.trees[index.table]
    const isRowid = table?.kind === 'rowid-table'
    const columns = this.#columns
    if (values !== null) {
      columns.take(values)
      return { ...this.#named(index.identity, isRowid), page: 0, values: null }
    }
    if (!this.#cells.find(page, cell)) return { ...unnamed, page, values: null }
    if (sign === 1 && isRowid) {
      const key = rowidKey(this.#cells.cell.rowLow, this.#cells.cell.rowHigh)
      return { key, row: JSON.stringify(key), page, values: null }
    }
    const wanted = sign === 1 && table?.kind === 'keyed-table' ? table.key.length : index.parts.length
    const max = sign === 1 && table?.kind === 'keyed-table' ? table.columns.length : index.parts.length
    if (!this.#cells.load(columns, wanted, max)) return { ...unnamed, page, values: null }
    const identity = sign === 1 && table?.kind === 'keyed-table' ? table.key.map((_, i) => i) : index.identity
    return { ...this.#named(identity, isRowid), page, values: sign === -1 ? this.#salvage(index) : null }
  }

  /** Names the row of the entry that was decoded last. */
  #named(identity: readonly number[], isRowid: boolean): Pick<NamedEntry, 'key' | 'row'> {
    const key = identityKey(this.#columns, identity, this.#plan.encoding, isRowid)
    if (isRowid) return { key, row: JSON.stringify(key) }
    const print = this.#print
    print.begin()
    for (const i of identity) print.column(this.#columns, i)
    print.end()
    return { key, row: `${print.low} ${print.high}` }
  }

  /** All values of the entry that was named last. */
  partsOf({ parts }: IndexPlan): readonly SalvagedValue[] {
    return valuesAt(this.#columns, [...parts.keys()], this.#plan.encoding)
  }

  /**
   * The values of the entry that was decoded last, without its key. Null if they exceed the limit on bytes. A part of a
   * value is never listed, because an operator could write it into the table as if it were the whole.
   */
  #salvage(index: IndexPlan): readonly SalvagedValue[] | null {
    if (this.#salvageBytesLeft <= 0) return null
    const values = valuesAt(this.#columns, salvageColumnsOf(this.#plan, index).positions, this.#plan.encoding)
    this.#salvageBytesLeft -= JSON.stringify(values).length
    return this.#salvageBytesLeft < 0 ? null : values
  }
}
