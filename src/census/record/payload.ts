/** Puts payloads that reach into overflow pages together (sqlite.org/fileformat2.html, section 1.7). */

import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import { read32 } from '../../sqlite/bytes.ts'
import type { CensusPlan } from '../plan.ts'

/** The pages that are being scanned. An overflow page among them need not be read again. */
export interface ScanWindow {
  bytes: Uint8Array
  firstPage: number
  pageCount: number
}

/**
 * Puts payloads together, and limits the overflow pages that are read. In a healthy file each overflow page belongs to
 * one payload, and keys of interior pages are read again for each neighbour. A hostile file may lead every cell into
 * the same long chain: it costs no more than reading all pages four times.
 */
export class Payloads {
  readonly #usable: number
  readonly #pageSize: number
  readonly #bytesMax: number
  readonly #source: PageSource
  readonly #window: ScanWindow
  readonly #page: Uint8Array
  /** Overflow pages that may still be read. */
  pagesLeft: number

  constructor(plan: CensusPlan, source: PageSource, window: ScanWindow) {
    this.#usable = plan.usable
    this.#pageSize = plan.pageSize
    this.#bytesMax = plan.pages * plan.usable
    this.pagesLeft = 4 * plan.pages + 1000
    this.#source = source
    this.#window = window
    this.#page = new Uint8Array(plan.pageSize)
  }

  /**
   * Gives the first `wanted` bytes of a payload.
   * @param at offset in `page` of the `local` bytes that lie there
   * @returns `broken` if the chain ends early, leads nowhere or was read too often: the page accounting reports it.
   * `unread` if a page could not be read
   */
  gather(
    page: Uint8Array,
    at: number,
    local: number,
    wanted: number,
    overflow: number,
  ): Uint8Array | 'broken' | 'unread' {
    if (wanted > this.#bytesMax) return 'broken'
    const whole = new Uint8Array(wanted)
    whole.set(page.subarray(at, at + local))
    let filled = local
    let next = overflow
    while (filled < wanted) {
      if (next === 0 || --this.pagesLeft < 0) return 'broken'
      const bytes = this.#read(next)
      if (typeof bytes === 'string') return bytes
      const piece = Math.min(this.#usable - 4, wanted - filled)
      whole.set(bytes.subarray(4, 4 + piece), filled)
      filled += piece
      next = read32(bytes, 0)
    }
    return whole
  }

  #read(page: number): Uint8Array | 'broken' | 'unread' {
    const { bytes, firstPage, pageCount } = this.#window
    if (page >= firstPage && page < firstPage + pageCount) {
      const from = (page - firstPage) * this.#pageSize
      return bytes.subarray(from, from + this.#pageSize)
    }
    const got = this.#source.read(page, this.#page)
    if (got === 'unread') return got
    return got < this.#usable ? 'broken' : this.#page
  }
}
