/**
 * The order of SQLite's indexes: NULL, numbers, text by its collation, BLOBs (sqlite.org/fileformat2.html, section
 * 2.2).
 */

import type { Collation, KeyPart, TextEncoding } from '../plan.ts'
import { kinds } from './columns.ts'
import type { Columns } from './columns.ts'
import { fromUtf16 } from './utf16.ts'

/**
 * Compares the first `count` columns by the parts of a key. Returns 0 if all are equal, else the position of the first
 * difference, counted from 1, negative if `a` comes first.
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
    // Most columns are integers. They are compared here, without a call.
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
  // SQLite has these collations for UTF-8 only, and converts UTF-16 before it compares.
  const textA = encoding === 1 ? a.bytesAt(i) : fromUtf16(a.bytesAt(i), encoding === 3)
  const textB = encoding === 1 ? b.bytesAt(i) : fromUtf16(b.bytesAt(i), encoding === 3)
  return collation === 'NOCASE'
    ? compareNoCase(textA, textB)
    : compareBytes(textA, 0, trimmedLength(textA), textB, 0, trimmedLength(textB))
}

/**
 * A real is never a whole number here, or it is beyond all integers of 64 bits. So rounding an integer to a real can
 * make the two equal, but cannot change their order.
 */
function compareNumbers(a: Columns, b: Columns, i: number): number {
  const x = a.numberAt(i)
  const y = b.numberAt(i)
  if (x !== y) return x < y ? -1 : 1
  // Either both are the same real, or one is an integer that was rounded.
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
 * Compares as SQLite does. Folds ASCII letters only. A NUL ends the comparison of letters. Texts equal up to there are
 * ordered by length.
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

/** Gives the same bytes for all texts that a collation takes for equal, as `compareColumn` does. */
export function foldedText(text: Uint8Array, collation: Collation, encoding: TextEncoding): Uint8Array {
  if (collation !== 'NOCASE' && collation !== 'RTRIM') return text
  const plain = encoding === 1 ? text : fromUtf16(text, encoding === 3)
  if (collation === 'RTRIM') return plain.subarray(0, trimmedLength(plain))
  const folded = new Uint8Array(plain.length)
  for (let i = 0; i < plain.length && plain[i] !== 0; i++) folded[i] = lower(plain[i] ?? 0)
  return folded
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)

function trimmedLength(text: Uint8Array): number {
  let length = text.length
  while (length > 0 && text[length - 1] === 0x20) length--
  return length
}
