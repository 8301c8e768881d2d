/**
 * Child side: reads the rows of one table after the other, for a comparison with another file. The memory is bounded,
 * whatever the number of rows.
 */
import { CellReader } from '../../census/differences/reread-cell.ts'
import type { CensusPlan } from '../../census/plan.ts'
import { Columns } from '../../census/record/columns.ts'
import { primaryKey, rowidKey } from '../../census/record/row-key.ts'
import { ownersBytes, walkOwners } from '../../census/scan/page-owners.ts'
import type { PageOwners } from '../../census/scan/page-owners.ts'
import { FirstKeys } from '../../comparison/first-keys.ts'
import { CollectedRows } from '../../comparison/row-entries.ts'
import type { RowEntries } from '../../comparison/row-entries.ts'
import { RowSums } from '../../comparison/row-sums.ts'
import { TableRows } from '../../comparison/table-rows.ts'
import type { RowReadOptions, RowSink } from '../../comparison/table-rows.ts'
import type { TablePlan } from '../../comparison/tables.ts'
import { invariant } from '../../model/bug.ts'
import type { RowKey } from '../../model/result/finding.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { AnswerOf } from '../protocol.ts'
import type { PageFile } from './pages/page-file.ts'

/** Bytes of one read. */
const readBytes = 1 << 20

/** Bytes of memory for the owners, and for one pass over rows. */
export const tableRowsBytes = (plan: CensusPlan, rowsMax: number): number =>
  ownersBytes(plan.pages) + rowsMax * 40 + readBytes

/** The table whose rows are being read. */
interface BegunTable {
  readonly tree: number
  readonly plan: TablePlan
  readonly rows: TableRows
  readonly first: { readonly onlyHere: FirstKeys; readonly different: FirstKeys }
}

export class TableRowReader {
  readonly #plan: CensusPlan
  readonly #file: PageFile
  readonly #source: PageSource
  readonly #owners: PageOwners
  #table: BegunTable | null = null
  #collected: CollectedRows | null = null
  /** What the disk could not read since `begin`; null for nothing. */
  #unread: string | null = null

  constructor(plan: CensusPlan, file: PageFile) {
    this.#plan = plan
    this.#file = file
    this.#source = { fileBytes: file.fileBytes, read: (page, into) => this.#noteUnread(page, file.read(page, into)) }
    this.#owners = walkOwners(plan, this.#source)
  }

  /** @param tree position of the table in the plan */
  begin(tree: number, reading: RowReadOptions): void {
    const plan = this.#plan.trees[tree]
    invariant(plan !== undefined && plan.kind !== 'index', 'only tables have rows to compare')
    this.#unread = null
    this.#table = {
      tree,
      plan,
      rows: new TableRows(this.#plan, plan, this.#source, reading),
      first: { onlyHere: new FirstKeys(), different: new FirstKeys() },
    }
  }

  sums(): Omit<AnswerOf<'sumRows'>, 'step'> {
    const sums = new RowSums()
    this.#readTable(sums)
    return { sums: sums.sums, digest: sums.digest, keyedDigest: sums.keyedDigest, unread: this.#unread }
  }

  /** @param wanted a mark for each bucket; null for all */
  collect(
    wanted: Uint8Array | null,
    rowsMax: number,
  ): { readonly entries: RowEntries; readonly full: boolean; readonly unread: string | null } {
    const collected = new CollectedRows(wanted, rowsMax)
    this.#readTable(collected)
    this.#collected = collected
    return { entries: collected.entries(), full: collected.full, unread: this.#unread }
  }

  /** Remembers the keys of rows. Rows are positions in the result of the last `collect`. */
  name(onlyHere: Uint32Array, different: Uint32Array): void {
    const { first } = this.#begun()
    const namer = new RowNamer(this.#plan, this.#begun().plan, this.#source)
    for (const [keys, positions] of [
      [first.onlyHere, onlyHere],
      [first.different, different],
    ] as const) {
      for (const position of positions) {
        const name = this.#collected?.nameOf(position) ?? null
        const key = name === null ? null : namer.keyOf(name)
        if (key !== null) keys.add(key)
      }
    }
  }

  /** The first of all remembered keys of this table. */
  firstKeys(): { readonly onlyHere: readonly RowKey[]; readonly different: readonly RowKey[] } {
    const { onlyHere, different } = this.#begun().first
    return { onlyHere: onlyHere.keys, different: different.keys }
  }

  #readTable(sink: RowSink): void {
    const { tree, rows } = this.#begun()
    const { pageSize, pages } = this.#plan
    const pagesEachRead = Math.max(1, Math.floor(readBytes / pageSize))
    const piece = new Uint8Array(pagesEachRead * pageSize)
    const isOwn = (page: number): boolean => page <= pages && this.#owners.trees[page] === tree + 1
    for (let page = 1; page <= pages; page++) {
      if (!isOwn(page)) continue
      let count = 1
      while (count < pagesEachRead && isOwn(page + count)) count++
      for (const missed of this.#file.readMany(page, count, piece)) this.#noteUnread(missed, 'unread')
      rows.read(piece.subarray(0, count * pageSize), page, sink)
      page += count - 1
    }
  }

  #noteUnread(page: number, got: number | 'unread'): number | 'unread' {
    if (got === 'unread') this.#unread ??= `page ${page} could not be read from the disk`
    return got
  }

  #begun(): BegunTable {
    invariant(this.#table !== null, '`begin` is called before rows are read')
    return this.#table
  }
}

/** Reads rows again for their keys. */
class RowNamer {
  readonly #plan: CensusPlan
  readonly #table: TablePlan
  readonly #cells: CellReader
  readonly #columns: Columns

  constructor(plan: CensusPlan, table: TablePlan, source: PageSource) {
    this.#plan = plan
    this.#table = table
    this.#cells = new CellReader(plan, source)
    this.#columns = new Columns(Math.max(1, table.columns.length))
  }

  /** null if the row cannot be read again. */
  keyOf([first, second]: readonly [number, number]): RowKey | null {
    const table = this.#table
    if (table.kind === 'rowid-table') return rowidKey(first, second)
    if (!this.#cells.find(first, second) || !this.#cells.load(this.#columns, table.key.length, table.columns.length))
      return null
    return primaryKey(
      this.#columns,
      table.key.map((_, i) => i),
      this.#plan.encoding,
    )
  }
}
