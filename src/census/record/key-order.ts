/**
 * The order of SQLite's indexes: NULL, numbers, text by its collation, BLOBs (https://sqlite.org/datatype3.html,
 * section 4.1).
 */

import type { Collation, KeyPart, TextEncoding } from '../plan.ts'
import { kinds } from './columns.ts'
import type { Columns } from './columns.ts'
import { fromUtf16 } from './utf16.ts'

/**
 * Compares the first `count` columns by the parts of a key: 0 where all are equal, else the position of the first
 * difference, counted from 1, negative where `a` comes first.
 */
export function compareKeys(
  a: Columns,
  b: Columns,
  parts: readonly KeyPart[],
  count: number,
  encoding: TextEncoding,
): number {
  for (let i = 0; i < count; i++) {
    const part = parts[i]
    if (part === undefined) return 0
    let order = 0
    // Most columns are integers; they are not worth a call.
    if (a.kind[i] === kinds.integer && b.kind[i] === kinds.integer) {
      order = (a.high[i] ?? 0) - (b.high[i] ?? 0)
      if (order === 0) order = ((a.low[i] ?? 0) >>> 0) - ((b.low[i] ?? 0) >>> 0)
    } else order = compareColumn(a, b, i, part.collation, encoding)
    if (order !== 0) return order > 0 === part.descending ? -1 - i : 1 + i
  }
  return 0
}

const rankOf = (kind: number): number => (kind === kinds.real ? kinds.integer : kind)

function compareColumn(a: Columns, b: Columns, i: number, collation: Collation, encoding: TextEncoding): number {
  const kindA = a.kind[i] ?? 0
  const kindB = b.kind[i] ?? 0
  const rank = rankOf(kindA) - rankOf(kindB)
  if (rank !== 0) return rank
  if (kindA === kinds.null) return 0
  if (kindA <= kinds.real) return compareNumbers(a, b, i)
  if (kindA === kinds.blob || collation === 'BINARY')
    return compareBytes(a.bytes, a.at[i] ?? 0, a.length[i] ?? 0, b.bytes, b.at[i] ?? 0, b.length[i] ?? 0)
  // SQLite has these collations for UTF-8 only and converts what is UTF-16.
  const textA = encoding === 1 ? a.bytesAt(i) : fromUtf16(a.bytesAt(i), encoding === 3)
  const textB = encoding === 1 ? b.bytesAt(i) : fromUtf16(b.bytesAt(i), encoding === 3)
  return collation === 'NOCASE'
    ? compareNoCase(textA, textB)
    : compareBytes(textA, 0, trimmed(textA), textB, 0, trimmed(textB))
}

/**
 * A real here is no whole number, or beyond all integers of 64 bits: so rounding the integer does not change the order,
 * but for equality.
 */
function compareNumbers(a: Columns, b: Columns, i: number): number {
  const x = a.numberAt(i)
  const y = b.numberAt(i)
  if (x !== y) return x < y ? -1 : 1
  // Both wholly the same real; or an integer that was rounded to one.
  if (a.kind[i] === b.kind[i]) return 0
  return a.kind[i] === kinds.integer ? -1 : 1
}

function compareBytes(
  a: Uint8Array,
  fromA: number,
  lengthA: number,
  b: Uint8Array,
  fromB: number,
  lengthB: number,
): number {
  const length = lengthA < lengthB ? lengthA : lengthB
  for (let i = 0; i < length; i++) {
    const x = a[fromA + i] ?? 0
    const y = b[fromB + i] ?? 0
    if (x !== y) return x - y
  }
  return lengthA - lengthB
}

/**
 * As SQLite has it: ASCII letters only, and a NUL ends the comparison of letters; what is equal so far is ordered by
 * length.
 */
function compareNoCase(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = lower(a[i] ?? 0)
    const y = lower(b[i] ?? 0)
    if (x !== y) return x - y
    if (x === 0) break
  }
  return a.length - b.length
}

/** The same bytes for all texts that a collation takes for equal: as `compareColumn` has it. */
export function foldedText(text: Uint8Array, collation: Collation, encoding: TextEncoding): Uint8Array {
  if (collation !== 'NOCASE' && collation !== 'RTRIM') return text
  const plain = encoding === 1 ? text : fromUtf16(text, encoding === 3)
  if (collation === 'RTRIM') return plain.subarray(0, trimmed(plain))
  const folded = new Uint8Array(plain.length)
  for (let i = 0; i < plain.length && plain[i] !== 0; i++) folded[i] = lower(plain[i] ?? 0)
  return folded
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)

function trimmed(text: Uint8Array): number {
  let length = text.length
  while (length > 0 && text[length - 1] === 0x20) length--
  return length
}
