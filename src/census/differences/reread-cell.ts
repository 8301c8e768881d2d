/** Reads single cells again, to name their rows. */

import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { CensusPlan } from '../plan.ts'
import { CellCursor } from '../record/cell-cursor.ts'
import type { Columns } from '../record/columns.ts'
import { Payloads } from '../record/payload.ts'
import { Records } from '../record/records.ts'

export class CellReader {
  /** The cell that was found last. */
  readonly cell: CellCursor
  readonly #source: PageSource
  readonly #records: Records
  /** The page that was read last. Callers mostly ask for the cells of one page one after another. */
  readonly #page: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(plan: CensusPlan, source: PageSource) {
    this.cell = new CellCursor(plan.usable, plan.pageSize)
    this.#source = source
    this.#records = new Records(
      new Payloads(plan, source, { bytes: new Uint8Array(0), firstPage: 0, pageCount: 0 }),
      null,
    )
    this.#page = new Uint8Array(plan.pageSize)
    this.#view = new DataView(this.#page.buffer)
  }

  /** False if the page or the cell cannot be read. */
  find(page: number, cell: number): boolean {
    if (this.#at !== page) {
      this.#at = 0
      const got = this.#source.read(page, this.#page)
      if (got === 'unread') return false
      this.#page.fill(0, got)
      this.#at = page
    }
    return this.cell.begin(this.#page, 0, page) && this.cell.read(cell)
  }

  /** Decodes the record of the cell that was found last, as `Records.loadAgain` does. */
  load(columns: Columns, wanted: number, max: number): boolean {
    return this.#records.loadSilently(this.cell, this.#view, columns, wanted, max)
  }
}
