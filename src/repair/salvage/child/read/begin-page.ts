/**
 * Child side: begins to read a page whose number of cells may be damaged. A page is exact: cells, free blocks and
 * fragments fill its cell content area (sqlite.org/fileformat2.html, section 1.6). So only one number of cells is
 * possible.
 */
import type { CellCursor } from '../../../../census/record/cell-cursor.ts'
import { read16 } from '../../../../sqlite/bytes.ts'
import type { PageLayout } from '../../../../sqlite/page-layout.ts'
import { headerOffset } from '../../../../sqlite/page.ts'

/** SQLite makes no cell and no free block shorter. */
const leastBytes = 4

/** False if this is no page of a tree. Corrects the number of cells of `cursor` if it can be proven. */
export function beginPage(cursor: CellCursor, bytes: Uint8Array, page: number, layout: PageLayout): boolean {
  cursor.cellCount = 0
  const isRight = cursor.begin(bytes, 0, page)
  const header = headerOffset(page)
  const type = bytes[header] ?? 0
  if (!isRight && type !== 2 && type !== 5 && type !== 10 && type !== 13) return false
  const content = read16(bytes, header + 5) || 65_536
  const free = freeBytes(bytes, header, content, layout.usable)
  if (content > layout.usable || free === null) return isRight
  const used = layout.usable - content - free
  if (isRight && cellBytes(cursor, bytes, header, content, layout.usable, cursor.cellCount) === used) return true
  const proven = countOf(cursor, bytes, header, content, layout.usable, used)
  if (proven === null) return isRight
  cursor.cellCount = proven
  return true
}

/** Byte offset of cell `i`, as its pointer says. */
export const cellAt = (bytes: Uint8Array, header: number, leaf: boolean, i: number): number =>
  read16(bytes, header + (leaf ? 8 : 12) + 2 * i)

/** Bytes of free blocks and fragments; null if they are damaged. */
function freeBytes(bytes: Uint8Array, header: number, content: number, usable: number): number | null {
  let sum = bytes[header + 7] ?? 0
  let before = 0
  for (let at = read16(bytes, header + 1); at !== 0; at = read16(bytes, at)) {
    const length = read16(bytes, at + 2)
    if (at < content || at <= before || length < leastBytes || at + length > usable) return null
    sum += length
    before = at
  }
  return sum
}

/** Bytes of the first `count` cells; null if one of them does not lie in the page. */
function cellBytes(
  cursor: CellCursor,
  bytes: Uint8Array,
  header: number,
  content: number,
  usable: number,
  count: number,
): number | null {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const length = lengthOf(cursor, bytes, header, content, usable, i)
    if (length === null) return null
    sum += length
  }
  return sum
}

/** The number of cells that fill the page; null if none does. */
function countOf(
  cursor: CellCursor,
  bytes: Uint8Array,
  header: number,
  content: number,
  usable: number,
  used: number,
): number | null {
  const pointers = header + (cursor.leaf ? 8 : 12)
  let sum = 0
  for (let i = 0; pointers + 2 * (i + 1) <= content && sum < used; i++) {
    const length = lengthOf(cursor, bytes, header, content, usable, i)
    if (length === null) return null
    sum += length
    if (sum === used) return i + 1
  }
  return null
}

function lengthOf(
  cursor: CellCursor,
  bytes: Uint8Array,
  header: number,
  content: number,
  usable: number,
  i: number,
): number | null {
  const at = cellAt(bytes, header, cursor.leaf, i)
  if (at < content || at > usable - leastBytes || !cursor.read(i)) return null
  return Math.max(leastBytes, endOfCell(cursor) - at)
}

/** Byte offset behind the cell that `cursor` has read. */
export const endOfCell = ({ payload, localBytes, overflow, payloadBytes }: CellCursor): number =>
  payload + localBytes + (overflow > 0 || localBytes < payloadBytes ? 4 : 0)
