/** Cells of b-tree pages, as src/census/cell-cursor.ts reads them; false for whatever is unusual. */
import { pageSize, usable } from './memory'

export let cellCount: i32 = 0
/** The cell that was read last: its record, and how long it is; the rowid of a row. */
export let record: usize = 0
export let recordBytes: i32 = 0
export let rowid: i64 = 0

let page: usize = 0
let pointers: usize = 0
let content: i32 = 0
/** Bytes of the child's number before each cell of an interior page. */
let childBytes: i32 = 0

@inline
export function load16(at: usize): i32 {
  return (<i32>load<u8>(at) << 8) | <i32>load<u8>(at, 1)
}

/** @param leaf the type of a leaf; its interior pages have a type that is 8 less */
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

/** Reads the cell of an index, or of a table WITHOUT ROWID. */
export function readEntry(i: i32, bytesMax: i32): bool {
  const at = load16(pointers + 2 * i)
  if (at < content || at > usable - 4) return false
  return readLength(page + at + childBytes, bytesMax) && record + recordBytes <= page + usable
}

/** Reads the cell of a leaf of a table with rowids. */
export function readRow(i: i32, bytesMax: i32): bool {
  const at = load16(pointers + 2 * i)
  if (at < content || at > usable - 4) return false
  if (!readLength(page + at, bytesMax)) return false
  readRowid(record)
  return record + recordBytes <= page + usable
}

/** Reads the cell of an interior page of a table with rowids. */
export function readSeparator(i: i32): bool {
  const at = load16(pointers + 2 * i)
  if (at < content || at > usable - 4) return false
  readRowid(page + at + 4)
  return record <= page + usable
}

/** False for what reaches into overflow pages. */
function readLength(from: usize, bytesMax: i32): bool {
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
  return length <= bytesMax
}

/** What follows it is the record. */
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
