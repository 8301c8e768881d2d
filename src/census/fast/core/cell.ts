/**
 * Reads the cells of b-tree pages (sqlite.org/fileformat2.html, section 1.6), as src/census/record/cell-cursor.ts does.
 * All functions return false for a cell that the core does not count.
 */
import { pageSize, payloadBytesMax, payloads, piece, pieceCount, pieceFirst, leastLocalBytes, usable } from './memory'

export let cellCount: i32 = 0
/** The cell that was read last: address and length of its record, and its rowid if it is a row. */
export let record: usize = 0
export let recordBytes: i32 = 0
export let rowid: i64 = 0
/** Overflow pages that may still be read, as src/census/record/payload.ts counts them. */
export let overflowPagesLeft: i32 = 0

let page: usize = 0
let pointers: usize = 0
let content: i32 = 0
/** Bytes of the child's page number before each cell of an interior page; 0 on leaves. */
let childBytes: i32 = 0

@inline
export function load16(at: usize): i32 {
  return ((<i32>load<u8>(at)) << 8) | <i32>load<u8>(at, 1)
}

/** @param leaf type of a leaf of this tree; the type of an interior page is 8 less */
export function beginPage(at: usize, leaf: i32): bool {
  const type = <i32>load<u8>(at)
  if (type !== leaf && type !== leaf - 8) return false
  childBytes = type === leaf ? 0 : 4
  page = at
  cellCount = load16(at + 3)
  content = load16(at + 5)
  if (content === 0) content = 65536
  pointers = at + 8 + childBytes
  return content <= usable && cellCount * 6 <= pageSize - 8 && 8 + childBytes + 2 * cellCount <= content
}

export function allowOverflowPages(most: i32): void {
  overflowPagesLeft = most
}

/** Reads a cell of an index, or of a table WITHOUT ROWID. */
export function readEntry(i: i32, bytesMax: i32): bool {
  const at = load16(pointers + 2 * i)
  if (at < content || at > usable - 4 || !readLength(page + at + childBytes)) return false
  return recordBytes <= bytesMax ? record + recordBytes <= page + usable : gather(i, bytesMax)
}

/** Reads a cell of a leaf of a table with rowids. */
export function readRow(i: i32, bytesMax: i32): bool {
  const at = load16(pointers + 2 * i)
  if (at < content || at > usable - 4 || !readLength(page + at)) return false
  readRowid(record)
  return recordBytes <= bytesMax ? record + recordBytes <= page + usable : gather(i, bytesMax)
}

/** Reads a cell of an interior page of a table with rowids. */
export function readSeparator(i: i32): bool {
  const at = load16(pointers + 2 * i)
  if (at < content || at > usable - 4) return false
  readRowid(page + at + 4)
  return record <= page + usable
}

/** Reads the length of a payload. False if neither a page nor a payload buffer can hold so many bytes. */
function readLength(from: usize): bool {
  let next = from
  let byte = <i32>load<u8>(next++)
  let length = byte & 0x7f
  for (let k = 0; byte >= 0x80; k++) {
    if (k === 3) return false
    byte = <i32>load<u8>(next++)
    length = (length << 7) | (byte & 0x7f)
  }
  record = next
  recordBytes = length
  return length <= payloadBytesMax || length <= usable
}

/**
 * Copies a record and its overflow pages into a payload buffer (sqlite.org/fileformat2.html, section 1.7). False if an
 * overflow page does not lie in the piece.
 */
function gather(i: i32, bytesMax: i32): bool {
  const surplus = leastLocalBytes + ((recordBytes - leastLocalBytes) % (usable - 4))
  const local = surplus <= bytesMax ? surplus : leastLocalBytes
  if (recordBytes > payloadBytesMax || record + local + 4 > page + usable) return false
  const whole = payloads + (i & 1) * payloadBytesMax
  memory.copy(whole, record, local)
  let next = bswap<u32>(load<u32>(record + local))
  for (let filled = local; filled < recordBytes;) {
    if (next - pieceFirst >= pieceCount || overflowPagesLeft === 0) return false
    overflowPagesLeft--
    const from = piece + <usize>(next - pieceFirst) * pageSize
    const bytes = min(usable - 4, recordBytes - filled)
    memory.copy(whole + filled, from + 4, bytes)
    filled += bytes
    next = bswap<u32>(load<u32>(from))
  }
  record = whole
  return true
}

/** Reads the varint of a rowid. The record follows it. */
function readRowid(from: usize): void {
  let next = from
  let value: i64 = 0
  for (let k = 0; k < 8; k++) {
    const byte = <i64>load<u8>(next++)
    value = (value << 7) | (byte & 0x7f)
    if (byte < 0x80) {
      rowid = value
      record = next
      return
    }
  }
  rowid = (value << 8) | <i64>load<u8>(next)
  record = next + 1
}
