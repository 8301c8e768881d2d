/** Child side: rows on pages that no table owns and that look like rows of no table: their table may be lost. */
import type { WalkedTree } from '../read/adopt-pages.ts'
import { CellRows } from '../read/cell-rows.ts'
import type { DamagedFile } from '../read/damaged-file.ts'
import type { OverflowChains } from '../read/payloads.ts'
import type { TreeShape } from '../read/shape.ts'
import { TreeWalker } from '../read/walk-tree.ts'
import type { SalvageContext } from './table-salvage.ts'

/** SQLite creates no table with more. */
const columnsMax = 2000

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
  columnsMax,
  plan: null,
}

export class UnknownRows {
  readonly #file: DamagedFile
  readonly #cells: CellRows
  readonly #tree: Pick<WalkedTree, 'shape' | 'walker'>
  /** In the facts, of the table that was made for these rows; null if none was. */
  #id: number | null = null

  constructor(file: DamagedFile, chains: OverflowChains) {
    this.#file = file
    this.#tree = { shape, walker: new TreeWalker(file, shape, chains) }
    this.#cells = new CellRows(chains, this.#tree)
  }

  /** Most columns of a row on these pages; at least 1. */
  columnsOf(pages: readonly number[]): number {
    let most = 1
    for (const page of pages) this.#eachRow(page, ({ values }) => (most = Math.max(most, values.length)))
    return most
  }

  /** Their rowids go into the facts. @returns how many rows the page has */
  write(page: number, { orphans, facts }: Pick<SalvageContext, 'orphans' | 'facts'>): number {
    let rows = 0
    this.#eachRow(page, (row) => {
      orphans.add(null, page, row)
      this.#id ??= facts.addUnknownTable(orphans.nameOf(null) ?? '')
      if (row.rowid !== null) facts.addUnknownRow(this.#id, row.rowid, page)
      rows++
    })
    return rows
  }

  #eachRow(page: number, use: (row: NonNullable<ReturnType<CellRows['read']>>) => void): void {
    const bytes = this.#file.read(page)
    if (bytes === null) return
    const { judge, keys } = this.#tree.walker
    const judged = judge.judge(shape, keys, page, bytes, { low: null, high: null }, 1)
    for (const [i, state] of judged?.states.entries() ?? []) {
      const row = state === 'good' ? this.#cells.read(bytes, page, i) : null
      if (row !== null) use(row)
    }
  }
}
