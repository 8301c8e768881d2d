/**
 * Reads the rows of one table, and takes two fingerprints of each: of its key, and of its content. It skips the same
 * pages and rows as the census (census/scan/scan.ts). So the contents add up to the digest of the census.
 */

import type { CensusPlan, KeyedTablePlan, RowidTablePlan } from '../census/plan.ts'
import { CellCursor } from '../census/record/cell-cursor.ts'
import { Columns, kinds } from '../census/record/columns.ts'
import { Fingerprint } from '../census/record/fingerprint.ts'
import { Payloads } from '../census/record/payload.ts'
import { Records } from '../census/record/records.ts'
import { fromUtf16 } from '../census/record/utf16.ts'
import { termsOf } from '../census/scan/expected-entries.ts'
import type { TableTerms } from '../census/scan/expected-entries.ts'
import { contentKey, fingerprintRow } from '../census/scan/row-content.ts'
import type { PageSource } from '../sqlite/accounting/page-source.ts'
import type { ColumnValue } from '../sqlite/column-value.ts'

export interface RowReadOptions {
  /** `content`: rows have no key, and are compared by their content only. */
  readonly identity: 'key' | 'content'
  /** True if texts are converted to UTF-8, because the other side has another encoding. */
  readonly asUtf8: boolean
  /** The key of the fingerprints of row keys; the same for both sides. */
  readonly key: readonly [number, number]
}

/** Takes the rows. Two words name a row: the rowid, or page and cell in a table WITHOUT ROWID. */
export interface RowSink {
  /** False if the row with this fingerprint of its key is not needed. */
  wants(low: number, high: number): boolean
  add(keyLow: number, keyHigh: number, contentLow: number, contentHigh: number, first: number, second: number): void
}

export class TableRows {
  readonly #table: RowidTablePlan | KeyedTablePlan
  readonly #reading: RowReadOptions
  readonly #encoding: CensusPlan['encoding']
  readonly #pageSize: number
  readonly #terms: TableTerms
  readonly #cell: CellCursor
  readonly #records: Records
  readonly #row: Columns
  readonly #whole: Columns
  readonly #keyPrint: Fingerprint
  readonly #contentPrint = new Fingerprint(contentKey)

  /** @param source reads single overflow pages */
  constructor(plan: CensusPlan, table: RowidTablePlan | KeyedTablePlan, source: PageSource, reading: RowReadOptions) {
    this.#table = table
    this.#reading = reading
    this.#encoding = plan.encoding
    this.#pageSize = plan.pageSize
    this.#terms = termsOf(plan, table, true)
    this.#cell = new CellCursor(plan.usable, plan.pageSize)
    this.#records = new Records(
      new Payloads(plan, source, { bytes: new Uint8Array(0), firstPage: 0, pageCount: 0 }),
      null,
    )
    this.#row = new Columns(Math.max(1, this.#terms.max))
    this.#whole = new Columns(Math.max(1, this.#terms.max))
    this.#keyPrint = new Fingerprint(reading.key)
  }

  /** Reads the rows of complete pages that all belong to the table. @param firstPage number of the first */
  read(bytes: Uint8Array, firstPage: number, sink: RowSink): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let start = 0, page = firstPage; start + this.#pageSize <= bytes.length; start += this.#pageSize, page++)
      this.#readPage(bytes, view, start, page, sink)
  }

  #readPage(bytes: Uint8Array, view: DataView, start: number, page: number, sink: RowSink): void {
    const cell = this.#cell
    const hasRowids = this.#table.kind === 'rowid-table'
    if (!cell.begin(bytes, start, page) || cell.tree !== (hasRowids ? 'table' : 'index') || (hasRowids && !cell.leaf))
      return
    for (let i = 0; i < cell.cellCount; i++) {
      if (cell.read(i)) this.#readRow(view, page, i, sink)
    }
  }

  #readRow(view: DataView, page: number, i: number, sink: RowSink): void {
    const table = this.#table
    const cell = this.#cell
    const byRowid = table.kind === 'rowid-table' && this.#reading.identity === 'key'
    // The rowid is known before the record is decoded. Most rows of most passes are not needed, and end here.
    if (byRowid && !this.#wantsRowid(cell.rowLow, cell.rowHigh, sink)) return
    const row = this.#row
    if (!this.#records.loadSilently(cell, view, row, this.#terms.wanted, this.#terms.max)) return
    if (table.kind === 'keyed-table' && row.count < table.key.length) return
    if (table.kind === 'rowid-table' && table.rowidAlias >= 0 && table.rowidAlias < row.count)
      row.setInteger(table.rowidAlias, cell.rowLow, cell.rowHigh)
    const content = this.#contentPrint
    const read = this.#reading.asUtf8 && this.#encoding !== 1 ? this.#inUtf8(row) : row
    fingerprintRow(this.#terms, read, content)
    const rowPrint = byRowid
      ? this.#keyPrint
      : table.kind === 'keyed-table' && this.#reading.identity === 'key'
        ? this.#printKey(read, table.key.length)
        : content
    if (!byRowid && !sink.wants(rowPrint.low, rowPrint.high)) return
    if (table.kind === 'rowid-table')
      sink.add(rowPrint.low, rowPrint.high, content.low, content.high, cell.rowLow, cell.rowHigh)
    else sink.add(rowPrint.low, rowPrint.high, content.low, content.high, page, i)
  }

  #wantsRowid(low: number, high: number, sink: RowSink): boolean {
    const print = this.#keyPrint
    print.begin()
    print.rowid(low, high)
    print.end()
    return sink.wants(print.low, print.high)
  }

  #printKey(row: Columns, columns: number): Fingerprint {
    const print = this.#keyPrint
    print.begin()
    for (let i = 0; i < columns; i++) print.column(row, i)
    print.end()
    return print
  }

  /** The row with its defaults, and its texts in UTF-8. Slow, and only for two files with different encodings. */
  #inUtf8(row: Columns): Columns {
    const values: ColumnValue[] = []
    for (let i = 0; i < this.#terms.max; i++)
      values.push(valueInUtf8(i < row.count ? row : this.#terms.absent, i, this.#encoding === 3))
    this.#whole.take(values)
    return this.#whole
  }
}

function valueInUtf8(columns: Columns, i: number, bigEndian: boolean): ColumnValue {
  switch (columns.kind[i]) {
    case kinds.integer:
      return { kind: 'integer', value: BigInt.asIntN(64, columns.integerAt(i)) }
    case kinds.real:
      return { kind: 'real', value: columns.numberAt(i) }
    case kinds.text:
      return { kind: 'text', bytes: fromUtf16(columns.bytesAt(i), bigEndian) }
    case kinds.blob:
      return { kind: 'blob', bytes: columns.bytesAt(i) }
    default:
      return { kind: 'null' }
  }
}
