/**
 * Reads the cells of one b-tree page, one after another (sqlite.org/fileformat2.html, section 1.6). Each cell
 * overwrites the fields of the one before: to make an object for each took as long as everything else.
 */

import { read32 } from '../../sqlite/bytes.ts'
import { localBytesMax, localBytesOf } from '../../sqlite/cell.ts'

export class CellCursor {
  bytes: Uint8Array = new Uint8Array(0)
  /** Page number. */
  page = 0
  /** Byte offset of the page in `bytes`. */
  start = 0
  cellCount = 0
  leaf = false
  tree: 'table' | 'index' = 'table'
  /** The cell that was read last: bytes of its payload, how many lie in the page and where, first overflow page. */
  payloadBytes = 0
  localBytes = 0
  payload = 0
  overflow = 0
  /** The two words of its rowid, in tables only. */
  rowLow = 0
  rowHigh = 0
  readonly #usable: number
  readonly #pageSize: number
  readonly #tableMax: number
  readonly #indexMax: number
  #pointers = 0
  #content = 0

  constructor(usable: number, pageSize: number) {
    this.#usable = usable
    this.#pageSize = pageSize
    this.#tableMax = localBytesMax(usable, 'table')
    this.#indexMax = localBytesMax(usable, 'index')
  }

  /** Begins a page. False if its header is invalid: the page accounting reports that. */
  begin(bytes: Uint8Array, start: number, page: number): boolean {
    const header = start + (page === 1 ? 100 : 0)
    const type = bytes[header] ?? 0
    if (type !== 2 && type !== 5 && type !== 10 && type !== 13) return false
    this.bytes = bytes
    this.start = start
    this.page = page
    this.leaf = type >= 10
    this.tree = type === 5 || type === 13 ? 'table' : 'index'
    this.cellCount = ((bytes[header + 3] ?? 0) << 8) | (bytes[header + 4] ?? 0)
    this.#content = ((bytes[header + 5] ?? 0) << 8) | (bytes[header + 6] ?? 0) || 65_536
    this.#pointers = header + (this.leaf ? 8 : 12)
    return (
      this.#content <= this.#usable &&
      this.cellCount <= (this.#pageSize - 8) / 6 &&
      this.#pointers - start + 2 * this.cellCount <= this.#content
    )
  }

  /** Reads cell `i`. False if the cell does not lie in its page: the page accounting reports that. */
  read(i: number): boolean {
    const { bytes, start } = this
    const pointer = this.#pointers + 2 * i
    const at = ((bytes[pointer] ?? 0) << 8) | (bytes[pointer + 1] ?? 0)
    if (at < this.#content || at > this.#usable - 4) return false
    const end = start + this.#usable
    let next = start + at + (this.leaf ? 0 : 4)
    if (this.tree === 'table' && !this.leaf) {
      this.payloadBytes = this.localBytes = this.overflow = 0
      next = this.#rowid(next)
      this.payload = next
      return next <= end
    }
    let length = bytes[next++] ?? 0
    if (length >= 0x80) {
      length &= 0x7f
      let byte = 0x80
      for (let k = 0; byte >= 0x80 && k < 4; k++) {
        byte = bytes[next++] ?? 0
        length = length * 128 + (byte & 0x7f)
      }
      // SQLite stores nothing whose length takes more than five bytes.
      if (byte >= 0x80) return false
    }
    if (this.tree === 'table') next = this.#rowid(next)
    const local =
      length <= (this.tree === 'table' ? this.#tableMax : this.#indexMax)
        ? length
        : localBytesOf(length, this.#usable, this.tree)
    this.payloadBytes = length
    this.localBytes = local
    this.payload = next
    this.overflow = 0
    if (local === length) return next + local <= end
    this.overflow = read32(bytes, next + local)
    return next + local + 4 <= end
  }

  /** Reads the varint of a rowid. @returns the offset behind it */
  #rowid(from: number): number {
    const { bytes } = this
    let next = from
    let low = 0
    let high = 0
    for (let k = 0; k < 8; k++) {
      const byte = bytes[next++] ?? 0
      high = (high << 7) | (low >>> 25)
      low = (low << 7) | (byte & 0x7f)
      if (byte < 0x80) {
        this.rowLow = low
        this.rowHigh = high
        return next
      }
    }
    this.rowLow = (low << 8) | (bytes[next] ?? 0)
    this.rowHigh = (high << 8) | (low >>> 24)
    return next + 1
  }
}
