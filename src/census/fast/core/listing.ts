/**
 * Lists what is to be fingerprinted, as words: the entries that a row asks of its indexes, and the entry that an index
 * holds. Each function returns the address behind its words, or 0 if there is no room left.
 */
import { cellCount } from './cell'
import { listContent, listEntry } from './fingerprint'
import {
  atKind,
  atValue,
  atWordCount,
  atWords,
  columnBytes,
  indexBytes,
  indexSourceCount,
  indexSources,
  indexSums,
  treeAbsent,
  treeEndsWithRowid,
  treeIndexCount,
  treeIndexes,
  wordsEnd,
} from './memory'
import { integerWords } from './record'

/**
 * Lists the content of a row, whose words lie from `from` to `to`. A row that is older than its last columns has their
 * default values.
 */
export function listRowContent(tree: usize, from: usize, to: usize, count: i32, columnsMax: i32): usize {
  const absent = <usize>load<u32>(tree, treeAbsent)
  for (let i = count; i < columnsMax; i++) {
    to = copyColumn(to, absent + columnBytes * i)
    if (to === 0) return 0
  }
  return listContent(from, to) ? to : 0
}

/**
 * Lists the entries that the plain indexes must hold for a row.
 * @param i position of the row's cell in its page
 * @param hasRowid false for a table WITHOUT ROWID: its entries name the row by its key
 */
export function listExpected(
  tree: usize,
  i: i32,
  next: usize,
  columns: usize,
  count: i32,
  hasRowid: bool,
  rowid: i64,
): usize {
  const absent = <usize>load<u32>(tree, treeAbsent)
  let index = <usize>load<u32>(tree, treeIndexes)
  const indexesEnd = index + indexBytes * load<u32>(tree, treeIndexCount)
  const isWide = hasRowid && <i64>(<i32>rowid) !== rowid
  for (let place = i; index < indexesEnd; index += indexBytes, place += cellCount) {
    const from = next
    if (next + 8 > wordsEnd) return 0
    if (isWide) {
      store<u32>(next, <u32>(rowid >> 32))
      next += 4
    }
    if (hasRowid) {
      store<u32>(next, <u32>rowid)
      next += 4
    }
    let source = <usize>load<u32>(index, indexSources)
    const sourcesEnd = source + 4 * load<u32>(index, indexSourceCount)
    for (; source < sourcesEnd; source += 4) {
      const at = load<i32>(source)
      if (at < 0) {
        if (next + 12 > wordsEnd) return 0
        next = integerWords(next, rowid)
      } else {
        next = copyColumn(next, (at < count ? columns : absent) + columnBytes * at)
        if (next === 0) return 0
      }
    }
    listEntry(place, from, next, isWide, load<u32>(index, indexSums))
  }
  return next
}

/**
 * Lists the entry of an index. There is room for two more words before `from`: if the last column is the rowid, it goes
 * first.
 */
export function listActual(
  tree: usize,
  i: i32,
  sums: usize,
  columns: usize,
  count: i32,
  from: usize,
  to: usize,
): usize {
  if (!load<i32>(tree, treeEndsWithRowid)) {
    listEntry(i, from, to, false, sums)
    return to
  }
  const last = columns + columnBytes * (count - 1)
  if (load<u32>(last, atKind) !== 1) return 0
  const rowid = load<i64>(last, atValue)
  const end = <usize>load<u32>(last, atWords)
  const isWide = <i64>(<i32>rowid) !== rowid
  store<u32>(from - 4, <u32>rowid)
  if (isWide) store<u32>(from - 8, <u32>(rowid >> 32))
  listEntry(i, isWide ? from - 8 : from - 4, end, isWide, sums)
  return to
}

/** Copies sixteen bytes at a time, so it may write up to twelve more than the column has. */
@inline
function copyColumn(to: usize, column: usize): usize {
  const from = <usize>load<u32>(column, atWords)
  const bytes = (<usize>load<u32>(column, atWordCount)) << 2
  if (to + bytes > wordsEnd) return 0
  for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i))
  return to + bytes
}
