/** Scans pages of tables with rowids: the rows on leaves, and the order of the rowids on all pages. */

import type { RowKey } from '../../model/result/finding.ts'
import type { RowidTablePlan } from '../plan.ts'
import { CellCursor } from '../record/cell-cursor.ts'
import { Columns } from '../record/columns.ts'
import { Fingerprint } from '../record/fingerprint.ts'
import { rowidKey } from '../record/row-key.ts'
import { addExpected, termsOf } from './expected-entries.ts'
import type { TableTerms } from './expected-entries.ts'
import { contentKey, fingerprintRow } from './row-content.ts'
import type { ScanContext } from './scan-context.ts'
import type { Separator } from './separators.ts'
import { addContent, note } from './tally.ts'

export class ScanRows {
  readonly #context: ScanContext
  readonly #terms = new Map<number, TableTerms>()
  readonly #row: Columns
  readonly #rowid = new Columns(1)
  readonly #print: Fingerprint
  readonly #contentPrint = new Fingerprint(contentKey)
  readonly #separator: CellCursor

  constructor(context: ScanContext) {
    const { plan, tally } = context
    this.#context = context
    this.#row = new Columns(
      Math.max(1, ...plan.trees.map((tree) => (tree.kind === 'rowid-table' ? tree.columns.length : 0))),
    )
    this.#print = new Fingerprint(tally.key)
    this.#separator = new CellCursor(plan.usable, plan.pageSize)
  }

  scan(table: RowidTablePlan, tree: number, cell: CellCursor, view: DataView): void {
    const terms = this.#termsOf(table, tree)
    const tally = this.#context.tally
    let payloads = 0
    let rows = 0
    const key = (): readonly RowKey[] => [rowidKey(cell.rowLow, cell.rowHigh)]
    const left = this.#context.separators.of(cell.page, 'left')
    let known = left !== null && this.#readSeparator(left)
    let low = this.#separator.rowLow
    let high = this.#separator.rowHigh
    for (let i = 0; i < cell.cellCount; i++) {
      if (!cell.read(i)) continue
      // Rowids rise. Those of a page lie above the key to its left, and at or below the key to its right.
      if (known && (cell.rowHigh < high || (cell.rowHigh === high && cell.rowLow >>> 0 <= low >>> 0)))
        this.#noteOrder(table, tree, cell, low, high)
      low = cell.rowLow
      high = cell.rowHigh
      known = true
      if (!cell.leaf) continue
      payloads += cell.payloadBytes
      rows++
      if (this.#context.records.load(cell, view, this.#row, terms.wanted, terms.max, tree, key))
        this.#addRow(table, tree, terms, cell, i)
    }
    if (known && cell.cellCount > 0) this.#checkRight(table, tree, cell, low, high)
    tally.entries[tree] = (tally.entries[tree] ?? 0) + rows
    tally.bytes[tree] = (tally.bytes[tree] ?? 0) + payloads
  }

  /** False if the separator has no rowid: in a damaged file a page of an index may lie above a table. */
  #readSeparator({ interior, cell }: Separator): boolean {
    return (
      interior.bTree.tree === 'table' &&
      this.#separator.begin(interior.bytes, 0, interior.page) &&
      this.#separator.read(cell)
    )
  }

  #checkRight(table: RowidTablePlan, tree: number, cell: CellCursor, low: number, high: number): void {
    const right = this.#context.separators.of(cell.page, 'right')
    if (right === null || !this.#readSeparator(right)) return
    const { rowLow, rowHigh } = this.#separator
    if (rowHigh < high || (rowHigh === high && rowLow >>> 0 < low >>> 0))
      this.#noteOrder(table, tree, cell, rowLow, rowHigh)
  }

  #addRow(table: RowidTablePlan, tree: number, terms: TableTerms, cell: CellCursor, i: number): void {
    const row = this.#row
    if (terms.indexes.length > 0) {
      this.#rowid.setInteger(0, cell.rowLow, cell.rowHigh)
      this.#print.begin()
      this.#print.rowid(cell.rowLow, cell.rowHigh)
      this.#print.mark()
      addExpected(terms, row, this.#rowid, this.#print, this.#context.sink, cell.page, i)
    }
    if (!this.#context.content) return
    // Without an INTEGER PRIMARY KEY the rowid is not content: VACUUM may change it.
    if (table.rowidAlias >= 0 && table.rowidAlias < row.count)
      row.setInteger(table.rowidAlias, cell.rowLow, cell.rowHigh)
    fingerprintRow(terms, row, this.#contentPrint)
    addContent(this.#context.tally, tree, this.#contentPrint.low, this.#contentPrint.high)
  }

  #noteOrder(table: RowidTablePlan, tree: number, cell: CellCursor, low: number, high: number): void {
    note(this.#context.tally, {
      rule: 'rowid-out-of-order',
      severity: 'damage',
      tree,
      page: cell.page,
      rows: [rowidKey(cell.rowLow, cell.rowHigh)],
      text:
        `row ${rowidKey(cell.rowLow, cell.rowHigh)} of ${table.object.name} on page ` +
        `${cell.page} is out of order beside ${rowidKey(low, high)}`,
    })
  }

  #termsOf(table: RowidTablePlan, tree: number): TableTerms {
    const known = this.#terms.get(tree)
    if (known) return known
    const terms = termsOf(this.#context.plan, table, this.#context.content)
    this.#terms.set(tree, terms)
    return terms
  }
}
