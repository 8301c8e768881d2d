/** The order of entries, as src/census/record/key-order.ts has it. */
import { atKind, atLength, atValue, columnBytes, encoding } from './memory'

/** The result if the core does not know the order: a collation of UTF-16 text. */
export const unknown: i32 = i32.MIN_VALUE

/**
 * Compares columns by the parts of a key. Returns 0 if all are equal, else the position of the first difference,
 * counted from 1, negative if `a` comes first.
 */
export function compareEntries(a: usize, b: usize, parts: usize, count: i32): i32 {
  for (let i = 0; i < count; i++) {
    let order: i32
    if (load<u32>(a, atKind) === 1 && load<u32>(b, atKind) === 1) {
      const x = load<i64>(a, atValue)
      const y = load<i64>(b, atValue)
      order = <i32>(x > y) - <i32>(x < y)
    } else order = compareColumn(a, b, load<i32>(parts))
    if (order === unknown) return unknown
    if (order !== 0) return order > 0 === (load<i32>(parts, 4) !== 0) ? -1 - i : 1 + i
    a += columnBytes
    b += columnBytes
    parts += 8
  }
  return 0
}

/** @param collation 0 BINARY, 1 NOCASE, 2 RTRIM */
function compareColumn(a: usize, b: usize, collation: i32): i32 {
  const kindA = load<i32>(a, atKind)
  const kindB = load<i32>(b, atKind)
  const rank = (kindA === 2 ? 1 : kindA) - (kindB === 2 ? 1 : kindB)
  if (rank !== 0) return rank
  if (kindA === 0) return 0
  if (kindA <= 2) return compareNumbers(a, kindA, b, kindB)
  const textA = <usize>load<u64>(a, atValue)
  const textB = <usize>load<u64>(b, atValue)
  const lengthA = load<i32>(a, atLength)
  const lengthB = load<i32>(b, atLength)
  if (kindA === 4 || collation === 0) return compareBytes(textA, lengthA, textB, lengthB)
  if (encoding !== 1) return unknown
  return collation === 1
    ? compareNoCase(textA, lengthA, textB, lengthB)
    : compareBytes(textA, trimmedLength(textA, lengthA), textB, trimmedLength(textB, lengthB))
}

/**
 * A real is never a whole number here, or it is beyond all integers of 64 bits. So rounding an integer to a real can
 * make the two equal, but cannot change their order.
 */
function compareNumbers(a: usize, kindA: i32, b: usize, kindB: i32): i32 {
  const x = kindA === 1 ? <f64>load<i64>(a, atValue) : load<f64>(a, atValue)
  const y = kindB === 1 ? <f64>load<i64>(b, atValue) : load<f64>(b, atValue)
  if (x !== y) return x < y ? -1 : 1
  if (kindA === kindB) return 0
  return kindA === 1 ? -1 : 1
}

function compareBytes(a: usize, lengthA: i32, b: usize, lengthB: i32): i32 {
  const length = min(lengthA, lengthB)
  let i = 0
  while (i + 8 <= length && load<u64>(a + i) === load<u64>(b + i)) i += 8
  for (; i < length; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i)
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

/** Folds ASCII letters only. A NUL ends the comparison of letters. Texts equal up to there are ordered by length. */
function compareNoCase(a: usize, lengthA: i32, b: usize, lengthB: i32): i32 {
  const length = min(lengthA, lengthB)
  for (let i = 0; i < length; i++) {
    const x = lower(load<u8>(a + i))
    const y = lower(load<u8>(b + i))
    if (x !== y) return x - y
    if (x === 0) break
  }
  return lengthA - lengthB
}

@inline
function lower(byte: i32): i32 {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}

/** Length without the spaces at the end. */
function trimmedLength(text: usize, length: i32): i32 {
  while (length > 0 && load<u8>(text + length - 1) === 0x20) length--
  return length
}
