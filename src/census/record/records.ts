/** Decodes the record of a cell, with its overflow pages if columns in them are needed. Notes what is wrong with it. */

import type { RowKey } from '../../model/result/finding.ts'
import { note } from '../scan/tally.ts'
import type { CensusTally } from '../scan/tally.ts'
import type { CellCursor } from './cell-cursor.ts'
import { decodingFailure } from './columns.ts'
import type { Columns, DecodeOutcome } from './columns.ts'
import type { Payloads } from './payload.ts'

export class Records {
  readonly #payloads: Payloads
  readonly #tally: CensusTally | null

  /** @param tally gets the notes; null if they have been taken before */
  constructor(payloads: Payloads, tally: CensusTally | null) {
    this.#payloads = payloads
    this.#tally = tally
  }

  /**
   * Decodes the record of the cell that `cell` has read. If that is not possible, takes a note and returns false.
   * @param wanted how many of the first columns are needed
   * @param max columns that the object has
   */
  load(
    cell: CellCursor,
    view: DataView,
    columns: Columns,
    wanted: number,
    max: number,
    tree: number,
    key: () => readonly RowKey[],
  ): boolean {
    const decoding = columns.decode(cell.bytes, view, cell.payload, cell.payloadBytes, cell.localBytes, wanted, max)
    if (decoding === 'decoded') return true
    const whole = decoding === 'longer' ? this.#gather(cell, columns, wanted, max) : decoding
    if (whole === 'decoded') return true
    if (whole === 'unread') this.#tally?.unread.set(tree, 'an overflow page could not be read from the disk')
    else if (whole === 'broken')
      this.#note(
        cell,
        tree,
        `a value on page ${cell.page} leads into a broken chain of overflow pages`,
        'overflow-broken',
        key,
      )
    else this.#note(cell, tree, `${failureOf(whole)} (page ${cell.page})`, 'record-malformed', key)
    return false
  }

  /** Decodes a record without notes: they are taken when its own page is scanned. */
  loadSilently(cell: CellCursor, view: DataView, columns: Columns, wanted: number, max: number): boolean {
    const decoding = columns.decode(cell.bytes, view, cell.payload, cell.payloadBytes, cell.localBytes, wanted, max)
    return (decoding === 'longer' ? this.#gather(cell, columns, wanted, max) : decoding) === 'decoded'
  }

  #gather(cell: CellCursor, columns: Columns, wanted: number, max: number): DecodeOutcome | 'broken' | 'unread' {
    const whole = this.#payloads.gather(cell.bytes, cell.payload, cell.localBytes, cell.payloadBytes, cell.overflow)
    if (typeof whole === 'string') return whole
    return columns.decode(whole, new DataView(whole.buffer), 0, cell.payloadBytes, cell.payloadBytes, wanted, max)
  }

  #note(
    cell: CellCursor,
    tree: number,
    text: string,
    rule: 'overflow-broken' | 'record-malformed',
    key: () => readonly RowKey[],
  ): void {
    if (this.#tally !== null) note(this.#tally, { rule, severity: 'damage', tree, page: cell.page, rows: key(), text })
  }
}

const failureOf = (decoding: Exclude<DecodeOutcome, 'decoded'>): string =>
  decoding === 'longer' ? decodingFailure.body : decodingFailure[decoding]
