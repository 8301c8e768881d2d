/**
 * Counts one page: the entry points of the compiled core. Each returns how many overflow pages it read if the page is
 * plain; everything on the page has then been added to the sums. It returns -1 if JavaScript must count the page
 * (src/census/scan/scan-rows.ts, src/census/scan/scan-entries.ts); nothing has then been added.
 *
 * For this each function first goes over the whole page and lists what is to be added. After that it cannot fail.
 */
import {
  allowOverflowPages,
  beginPage,
  cellCount,
  overflowPagesLeft,
  readEntry,
  readRow,
  readSeparator,
  record,
  recordBytes,
  rowid,
} from './cell'
import { addContents, addEntries, beginLists } from './fingerprint'
import { listActual, listExpected, listRowContent } from './listing'
import {
  atKind,
  columnBytes,
  columnsA,
  columnsB,
  columnsC,
  countedPayloadBytes,
  countedDigest,
  countedEntries,
  entryBytesMax,
  rowBytesMax,
  treeAlias,
  treeColumnsMax,
  treeCounted,
  treeIndexCount,
  treeOrdered,
  treePartCount,
  treeParts,
  treeSums,
  treeUniqueParts,
  words,
  wordsEnd,
} from './memory'
import { compareEntries, unknown } from './order'
import { decode, wordBytesMax, wordsNext } from './record'

export { beginPiece, beginPlan } from './memory'
export { beginFingerprints } from './fingerprint'
export { prescan } from './prescan'

const tableLeaf = 13
const indexLeaf = 10
const notPlain = -1

/**
 * Counts a leaf of a table with rowids.
 * @param left address of the interior page that holds the key to the left of this page; 0 if there is none
 * @param right the same for the key to the right
 * @param overflowPages how many overflow pages may be read
 */
export function countRowPage(
  page: usize,
  tree: usize,
  left: usize,
  leftCell: i32,
  right: usize,
  rightCell: i32,
  overflowPages: i32,
): i32 {
  allowOverflowPages(overflowPages)
  if (load<u8>(page) !== tableLeaf) return notPlain
  if (right !== 0 && !readSeparatorAt(right, rightCell)) return notPlain
  const last = right === 0 ? i64.MAX_VALUE : rowid
  if (left !== 0 && !readSeparatorAt(left, leftCell)) return notPlain
  let known = left !== 0
  let before = rowid
  if (!beginPage(page, tableLeaf)) return notPlain
  if (!beginLists(cellCount * load<i32>(tree, treeIndexCount))) return notPlain
  const columnsMax = load<i32>(tree, treeColumnsMax)
  const alias = load<i32>(tree, treeAlias)
  let next = words
  let bytes: f64 = 0
  for (let i = 0; i < cellCount; i++) {
    if (!readRow(i, rowBytesMax)) return notPlain
    // Rowids rise. Those of a page lie above the key to its left, and at or below the key to its right.
    if (known && rowid <= before) return notPlain
    before = rowid
    known = true
    bytes += recordBytes
    if (next + wordBytesMax(recordBytes, columnsMax) > wordsEnd) return notPlain
    const count = decode(record, recordBytes, columnsA, columnsMax, next, alias, rowid)
    if (count < 0) return notPlain
    next = listRowContent(tree, next, wordsNext, count, columnsMax)
    if (next === 0) return notPlain
    next = listExpected(tree, i, next, columnsA, count, true, rowid)
    if (next === 0) return notPlain
  }
  if (cellCount > 0 && before > last) return notPlain
  addContents(load<u32>(tree, treeCounted) + countedDigest)
  addEntries(1)
  addCounted(tree, cellCount, bytes)
  return overflowPages - overflowPagesLeft
}

function readSeparatorAt(page: usize, cell: i32): bool {
  return load<u8>(page) === tableLeaf - 8 && beginPage(page, tableLeaf) && cell < cellCount && readSeparator(cell)
}

/** Counts a page of an index, or of a table WITHOUT ROWID. The parameters are those of `countRowPage`. */
export function countEntryPage(
  page: usize,
  tree: usize,
  left: usize,
  leftCell: i32,
  right: usize,
  rightCell: i32,
  overflowPages: i32,
): i32 {
  allowOverflowPages(overflowPages)
  const ordered = load<i32>(tree, treeOrdered) !== 0
  let entry = columnsA
  let before = columnsB
  if (ordered && left !== 0 && !readSeparatorEntryAt(left, leftCell, tree, before)) return notPlain
  if (ordered && right !== 0 && !readSeparatorEntryAt(right, rightCell, tree, columnsC)) return notPlain
  let known = left !== 0
  if (!beginPage(page, indexLeaf)) return notPlain
  const columnsMax = load<i32>(tree, treeColumnsMax)
  const sums = <usize>load<u32>(tree, treeSums)
  if (!beginLists(sums === 0 ? cellCount * load<i32>(tree, treeIndexCount) : cellCount)) return notPlain
  let next = words
  let bytes: f64 = 0
  for (let i = 0; i < cellCount; i++) {
    if (!readEntry(i, entryBytesMax)) return notPlain
    bytes += recordBytes
    // Leaves room for a rowid before the words of the entry.
    const from = next + 8
    if (from + wordBytesMax(recordBytes, columnsMax) > wordsEnd) return notPlain
    const count = decode(record, recordBytes, entry, columnsMax, from, -1, 0)
    if (count < (sums === 0 ? load<i32>(tree, treePartCount) : columnsMax)) return notPlain
    if (sums === 0) {
      next = listRowContent(tree, from, wordsNext, count, columnsMax)
      if (next !== 0) next = listExpected(tree, i, next, entry, count, false, 0)
    } else next = listActual(tree, i, sums, entry, count, from, wordsNext)
    if (next === 0) return notPlain
    if (!ordered) continue
    if (known && !inOrder(tree, before, entry)) return notPlain
    known = true
    const turn = before
    before = entry
    entry = turn
  }
  if (ordered && right !== 0 && cellCount > 0 && !inOrder(tree, before, columnsC)) return notPlain
  if (sums === 0) addContents(load<u32>(tree, treeCounted) + countedDigest)
  addEntries(sums === 0 ? 1 : -1)
  addCounted(tree, cellCount, bytes)
  return overflowPages - overflowPagesLeft
}

/**
 * Decodes an entry of an interior page. Its words are not needed and are overwritten soon. The entry must lie in its
 * page, because the payload buffers are for the entries of the page that is counted.
 */
function readSeparatorEntryAt(page: usize, cell: i32, tree: usize, columns: usize): bool {
  if (
    load<u8>(page) !== indexLeaf - 8 ||
    !beginPage(page, indexLeaf) ||
    cell >= cellCount ||
    !readEntry(cell, entryBytesMax) ||
    recordBytes > entryBytesMax
  )
    return false
  const count = decode(record, recordBytes, columns, load<i32>(tree, treeColumnsMax), words, -1, 0)
  return count >= load<i32>(tree, treePartCount)
}

/** True if `first` comes before `second`. False also if they are equal in parts that must be unique. */
function inOrder(tree: usize, first: usize, second: usize): bool {
  const uniqueParts = load<i32>(tree, treeUniqueParts)
  const order = compareEntries(first, second, load<u32>(tree, treeParts), load<i32>(tree, treePartCount))
  if (order > 0 || order === unknown) return false
  if (uniqueParts === 0 || (order < 0 && -order <= uniqueParts)) return true
  // Entries with a NULL may agree in all other parts; the keys of a table WITHOUT ROWID may not.
  if (load<u32>(tree, treeSums) === 0) return false
  for (let i = 0; i < uniqueParts; i++) if (load<u32>(first + columnBytes * i, atKind) === 0) return true
  return false
}

function addCounted(tree: usize, entries: i32, bytes: f64): void {
  const counted = <usize>load<u32>(tree, treeCounted)
  store<i32>(counted, load<i32>(counted, countedEntries) + entries, countedEntries)
  store<f64>(counted, load<f64>(counted, countedPayloadBytes) + bytes, countedPayloadBytes)
}
