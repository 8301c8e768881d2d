/** Finds the leaves that the page accounting need not read one by one (src/census/fast/prescan.ts). */
import { load16 } from './cell'

const tableLeaf = 13
const indexLeaf = 10

/**
 * Writes one word for each page. The word says that the page is a leaf whose cells all lie in it and point to nothing
 * (`liesInPage` in src/sqlite/accounting/references.ts). For any other page it is the first word of that page.
 * @param rowBytesMax most bytes of a payload that stay on a leaf of a table
 * @param entryBytesMax most bytes of a payload that stay on a leaf of an index
 * @param words address of the result. The three highest values stand for a leaf of a table, a leaf of an index, and a
 * page whose own first word is one of these three.
 */
export function prescan(
  at: usize,
  pageCount: i32,
  pageSize: i32,
  usable: i32,
  rowBytesMax: i32,
  entryBytesMax: i32,
  words: usize,
): void {
  for (let i = 0; i < pageCount; i++) {
    const type = <i32>load<u8>(at)
    let word = bswap<u32>(load<u32>(at))
    if (type === tableLeaf && isWithin(at, pageSize, usable, rowBytesMax, true)) word = 0xfffffffd
    else if (type === indexLeaf && isWithin(at, pageSize, usable, entryBytesMax, false)) word = 0xfffffffe
    else if (word >= 0xfffffffd) word = 0xffffffff
    store<u32>(words, word)
    at += pageSize
    words += 4
  }
}

/** True if all cells of this leaf lie in it. */
function isWithin(page: usize, pageSize: i32, usable: i32, bytesMax: i32, isTable: bool): bool {
  const cellCount = load16(page + 3)
  let content = load16(page + 5)
  if (content === 0) content = 65536
  if (content > usable || cellCount * 6 > pageSize - 8 || 8 + 2 * cellCount > content) return false
  const cellMax = usable - 4
  for (let pointer = page + 8, end = pointer + 2 * cellCount; pointer < end; pointer += 2) {
    const cell = load16(pointer)
    if (cell < content || cell > cellMax) return false
    let next = page + cell
    let bytes = <i32>load<u8>(next++)
    if (bytes >= 0x80) {
      const second = <i32>load<u8>(next++)
      if (second >= 0x80) return false
      bytes = ((bytes & 0x7f) << 7) | second
    }
    if (bytes > bytesMax) return false
    if (isTable) {
      // The rowid is a varint: up to eight bytes with the highest bit set, which means that one more byte follows.
      const lasts = ~load<u64>(next) & 0x8080808080808080
      next += lasts === 0 ? 9 : (<usize>ctz<u64>(lasts) >> 3) + 1
    }
    if (next + bytes > page + usable) return false
  }
  return true
}
