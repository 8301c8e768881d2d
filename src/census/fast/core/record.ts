/**
 * Decodes records (sqlite.org/fileformat2.html, section 2.1) as src/census/record/columns.ts does. Writes for each
 * column the words that src/census/record/fingerprint.ts takes for it.
 */
import { atKind, atLength, atValue, atWordCount, atWords, columnBytes } from './memory'

/** Address behind the words that were written last. */
export let wordsNext: usize = 0

/**
 * Most bytes that `decode` writes for a record: a word before each value and one word to fill it up, and the rowid for
 * an alias.
 */
@inline
export function wordBytesMax(recordBytes: i32, columnsMax: i32): usize {
  return <usize>recordBytes + 8 * <usize>columnsMax + 12
}

/**
 * Decodes the record into `columns`. Their words follow one another from `words` on.
 * @param alias the column whose value is the rowid; -1 if there is none
 * @returns how many columns the record has; -1 if it is malformed, or if the alias is text
 */
export function decode(
  record: usize,
  recordBytes: i32,
  columns: usize,
  columnsMax: i32,
  words: usize,
  alias: i32,
  rowid: i64,
): i32 {
  if (recordBytes < 1) return -1
  let next = record
  let headerBytes = <i32>load<u8>(next++)
  if (headerBytes >= 0x80) {
    const second = <i32>load<u8>(next++)
    // Two bytes are enough for 16,383 columns and more.
    if (second >= 0x80) return -1
    headerBytes = ((headerBytes & 0x7f) << 7) | second
  }
  const end = record + recordBytes
  const headerEnd = record + headerBytes
  if (headerBytes > recordBytes || headerEnd < next) return -1
  let value = headerEnd
  let column = columns
  let to = words
  let count = 0
  while (next < headerEnd) {
    if (count >= columnsMax) return -1
    let type = <u32>load<u8>(next++)
    if (type >= 0x80) {
      let byte: u32 = type
      type &= 0x7f
      for (let k = 0; byte >= 0x80; k++) {
        if (k === 3) return -1
        byte = <u32>load<u8>(next++)
        type = (type << 7) | (byte & 0x7f)
      }
    }
    store<u32>(column, <u32>to, atWords)
    if (type >= 12) {
      const length = (type - 12) >> 1
      if (<usize>length > end - value || count === alias) return -1
      const kind = 4 - (type & 1)
      store<u32>(column, kind, atKind)
      store<u32>(column, length, atLength)
      store<u64>(column, value, atValue)
      store<u32>(to, kind | (length << 3))
      to = copyWords(to + 4, value, length)
      value += length
    } else if (type < 7 && type > 0) {
      // Most columns are integers. All sizes are read in the same way, so the processor has no branch to predict.
      const size = type < 5 ? type : 2 * type - 4
      if (<usize>size > end - value) return -1
      let integer = load64(value) >> <i64>(64 - 8 * size)
      value += size
      if (count === alias) integer = rowid
      store<u32>(column, 1, atKind)
      store<i64>(column, integer, atValue)
      to = integerWords(to, integer)
    } else {
      if (type === 7) {
        if (end - value < 8) return -1
        const bits = <u64>load64(value)
        value += 8
        to = realWords(to, column, bits)
      } else if (type === 0) {
        store<u32>(column, 0, atKind)
        store<u32>(to, 0)
        to += 4
      } else if (type === 8 || type === 9) {
        store<u32>(column, 1, atKind)
        store<i64>(column, type - 8, atValue)
        to = integerWords(to, type - 8)
      } else return -1
      if (count === alias) {
        to = load<u32>(column, atWords)
        store<u32>(column, 1, atKind)
        store<i64>(column, rowid, atValue)
        to = integerWords(to, rowid)
      }
    }
    store<u32>(column, (<u32>to - load<u32>(column, atWords)) >> 2, atWordCount)
    column += columnBytes
    count++
  }
  if (next !== headerEnd || value !== end) return -1
  wordsNext = to
  return count
}

/**
 * Writes one word for a small integer; two or three for a larger one, of which the first says its size. Has no
 * branches, because the sizes of neighbouring values are as good as random. May write up to 8 bytes behind the words.
 */
@inline
export function integerWords(to: usize, value: i64): usize {
  const small = (value << 35) >> 35 === value
  const word = <i64>(<i32>value) === value
  store<u32>(to, select<u32>(1 | ((<u32>value) << 3), select<u32>(5, 6, word), small))
  store<u64>(to, value, 4)
  return to + select<usize>(4, select<usize>(8, 12, word), small)
}

/** NaN becomes NULL, and a whole number becomes the integer. */
function realWords(to: usize, column: usize, bits: u64): usize {
  const value = reinterpret<f64>(bits)
  if (value !== value) {
    store<u32>(column, 0, atKind)
    store<u32>(to, 0)
    return to + 4
  }
  if (floor<f64>(value) === value && value < 9223372036854775808.0 && value >= -9223372036854775808.0) {
    const integer = <i64>value
    store<u32>(column, 1, atKind)
    store<i64>(column, integer, atValue)
    return integerWords(to, integer)
  }
  store<u32>(column, 2, atKind)
  store<u64>(column, bits, atValue)
  store<u32>(to, 2)
  store<u64>(to, bits, 4)
  return to + 12
}

/** Copies sixteen bytes at a time, so it may write more than asked for. Fills up the last word with zeros. */
@inline
function copyWords(to: usize, from: usize, length: u32): usize {
  for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i))
  const last = length & ~3
  store<u32>(to + last, load<u32>(from + last) & ((1 << (8 * (length & 3))) - 1))
  return to + ((length + 3) & ~3)
}

/** Loads a big-endian number of 64 bits. */
@inline
function load64(at: usize): i64 {
  const bytes = v128.load64_zero(at)
  return i64x2.extract_lane(v128.shuffle<u8>(bytes, bytes, 7, 6, 5, 4, 3, 2, 1, 0, 8, 9, 10, 11, 12, 13, 14, 15), 0)
}
