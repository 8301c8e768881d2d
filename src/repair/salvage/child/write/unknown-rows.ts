/**
 * Child side: rows that look like rows of no table: their table may be lost from the schema. They lie on pages that no
 * table owns. Rows with more columns than their table has in a backup are among them: a column was added since.
 */
import type { WalkedTree } from '../read/adopt-pages.ts'
import { CellRows, type StoredRow } from '../read/cell-rows.ts'
import type { DamagedFile } from '../read/damaged-file.ts'
import { tableColumnsMax } from '../read/page-cells.ts'
import type { OverflowChains } from '../read/payloads.ts'
import type { TreeShape } from '../read/shape.ts'
import { TreeWalker } from '../read/walk-tree.ts'
import type { SalvageContext } from './table-salvage.ts'

const shape: TreeShape = {
  id: 0,
  kind: 'rowid-table',
  name: '',
  table: '',
  root: 0,
  rootOfBackup: false,
  columns: [],
  alias: -1,
  key: [],
  ordered: true,
  encoding: 1,
  columnsMax: tableColumnsMax,
  plan: null,
}

export class UnknownRows {
  readonly #file: DamagedFile
  readonly #cells: CellRows
  readonly #tree: Pick<WalkedTree, 'shape' | 'walker'>
  /** Pages of a table with rows that have more columns than it has: how many columns that is. */
  readonly #wider = new Map<number, number>()
  /** In the facts, of the table that was made for these rows; null if none was. */
  #id: number | null = null

  constructor(file: DamagedFile, chains: OverflowChains) {
    this.#file = file
    this.#tree = { shape, walker: new TreeWalker(file, shape, chains) }
    this.#cells = new CellRows(chains, this.#tree)
  }

  /** `write` takes the rows of this page that have more columns than these. */
  noteWider(page: number, columns: number): void {
    this.#wider.set(page, columns)
  }

  /**
   * Their rowids go into the facts. After all tables were written.
   * @param pages that no table owns and that look like those of none @returns how many rows were written
   */
  write(pages: readonly number[], to: Pick<SalvageContext, 'orphans' | 'facts'>): number {
    const all = [...pages.map((page): readonly [number, number] => [page, -1]), ...this.#wider]
    let most = 1
    for (const [page, columns] of all)
      this.#eachRow(page, columns, ({ values }) => {
        most = Math.max(most, values.length)
      })
    to.orphans.columnsOfUnknown = most
    return all.reduce((rows, [page, columns]) => rows + this.#writePage(page, columns, to), 0)
  }

  #writePage(page: number, columns: number, { orphans, facts }: Pick<SalvageContext, 'orphans' | 'facts'>): number {
    let rows = 0
    this.#eachRow(page, columns, (row) => {
      orphans.add(null, page, row)
      this.#id ??= facts.addUnknownTable(orphans.nameOf(null) ?? '')
      if (row.rowid !== null) facts.addUnknownRow(this.#id, row.rowid, page)
      rows++
    })
    return rows
  }

  /** @param columns rows have more than these */
  #eachRow(page: number, columns: number, use: (row: StoredRow) => void): void {
    const bytes = this.#file.read(page)
    if (bytes === null) return
    const { judge, keys } = this.#tree.walker
    const judged = judge.judge(shape, keys, page, bytes, { low: null, high: null }, 1)
    for (const [i, state] of judged?.states.entries() ?? []) {
      const row = state === 'good' ? this.#cells.read(bytes, page, i) : null
      if (row !== null && row.values.length > columns) use(row)
    }
  }
}
