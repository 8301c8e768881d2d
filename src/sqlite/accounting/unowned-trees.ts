/**
 * Pages that nothing claims, looked at once more: a table that was lost from the schema leaves pages that still form a
 * tree. Its rows exist nowhere else, so such pages are more than lost space.
 */

import { count, groupDigits } from '../../text/count.ts'
import { readCell } from '../cell.ts'
import { cellOffset, readPage } from '../page.ts'
import { varintBytes, varintNumber } from '../varint.ts'
import type { AccountingState } from './accounting-state.ts'
import { readReferences } from './references.ts'

/** Of more unowned pages only the first are looked at: their numbers are kept in memory. */
const pagesMax = 100_000

/** Collects unowned pages that are valid pages of b-trees. */
export class UnownedTrees {
  readonly #account: AccountingState
  /** Valid pages of b-trees with at least one cell. */
  readonly #valid = new Set<number>()
  readonly #interiors: number[] = []
  /** Leaves of tables, by the number of columns of their first row. */
  readonly #leaves = new Map<number, { pages: number; rows: number }>()

  constructor(account: AccountingState) {
    this.#account = account
  }

  /** @param bytes of an unowned page; they are only read */
  look(page: number, bytes: Uint8Array): void {
    if (this.#valid.size >= pagesMax) return
    const { layout } = this.#account
    const references = readReferences(bytes, page, layout)
    const tree = readPage(bytes, page, layout)
    if (references.kind === 'unreadable' || references.wrongCells > 0) return
    if (tree.kind === 'unreadable' || tree.cellCount === 0) return
    this.#valid.add(page)
    if (!references.leaf) this.#interiors.push(page)
    else if (references.tree === 'table') {
      const columns = columnsOfFirstRow(bytes, page, this.#account)
      const known = this.#leaves.get(columns) ?? { pages: 0, rows: 0 }
      this.#leaves.set(columns, { pages: known.pages + 1, rows: known.rows + tree.cellCount })
    }
  }

  /** What lies on the pages, in words; null if they form no tree. Yields after each page that is read again. */
  *describe(): Generator<void, string | null> {
    let joined = 0
    for (const page of this.#interiors) {
      const bytes = this.#account.readAgain(page)
      yield
      if (bytes === null) continue
      const references = readReferences(bytes, page, this.#account.layout)
      if (references.kind === 'references' && references.children.some((child) => this.#valid.has(child))) joined++
    }
    const tables = [...this.#leaves].toSorted(([, a], [, b]) => b.rows - a.rows)
    if (joined === 0 && !tables.some(([, { pages }]) => pages > 1)) return null
    const rows = tables.map(
      ([columns, { rows }]) => `${count(rows, 'row')} of ${columns === 0 ? 'unknown shape' : count(columns, 'column')}`,
    )
    const more = rows.length > shapesMax ? ` and rows of ${rows.length - shapesMax} other shapes` : ''
    return (
      `${groupDigits(this.#valid.size)} of the pages that belong to nothing ` +
      (joined > 0 ? 'form a tree' : 'hold rows') +
      (rows.length === 0 ? ' of an index or of a table WITHOUT ROWID' : `: ${rows.slice(0, shapesMax).join(', ')}`) +
      `${more}; a table may have been lost from the schema`
    )
  }
}

const shapesMax = 3

/** 0 if the record is not valid, or its header does not lie in the page. */
function columnsOfFirstRow(bytes: Uint8Array, page: number, { layout }: AccountingState): number {
  const tree = readPage(bytes, page, layout)
  const cell = tree.kind === 'unreadable' ? tree : readCell(bytes, cellOffset(bytes, tree, 0), tree, layout)
  if (cell.kind !== 'cell') return 0
  const end = cell.payload + varintNumber(bytes, cell.payload)
  let at = cell.payload + varintBytes(bytes, cell.payload)
  if (end > cell.payload + cell.localBytes) return 0
  let columns = 0
  for (; at < end; at += varintBytes(bytes, at)) columns++
  return at === end ? columns : 0
}
