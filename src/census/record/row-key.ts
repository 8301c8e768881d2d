/** How a report names a row: by its rowid, or by the primary key of a table WITHOUT ROWID. */

import type { KeyColumn, RowKey } from '../../model/result/finding.ts'
import type { TextEncoding } from '../plan.ts'
import { kinds } from './columns.ts'
import type { Columns } from './columns.ts'

/** Bytes of a key column that a report shows. The keys of a hostile file may be very long. */
const shownBytesMax = 1024
/** Bytes of a key column that an account lists. Its keys are complete, and only those of a hostile file are longer. */
export const listedBytesMax = 1 << 20

/** A rowid from its two words. As text if it is beyond 2^53. */
export function rowidKey(low: number, high: number): number | string {
  return integerKey((BigInt(high) << 32n) | BigInt(low >>> 0))
}

/** Orders rowids as numbers, and all other keys by their JSON text. */
export function compareRowKeys(a: RowKey, b: RowKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a !== 'object' && typeof b !== 'object') return BigInt(a) < BigInt(b) ? -1 : Number(a !== b)
  const x = JSON.stringify(a)
  const y = JSON.stringify(b)
  return x < y ? -1 : x > y ? 1 : 0
}

export const integerKey = (value: bigint): number | string =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()

/**
 * The name of the row of an entry: its rowid, or the columns of the primary key.
 * @param bytesMax bytes of one column; the rest is left out
 */
export function identityKey(
  columns: Columns,
  positions: readonly number[],
  encoding: TextEncoding,
  isRowid: boolean,
  bytesMax = shownBytesMax,
): RowKey {
  const [only = 0] = positions
  return isRowid ? integerKey(columns.integerAt(only)) : primaryKey(columns, positions, encoding, bytesMax)
}

/** @param bytesMax bytes of one column; the rest is left out */
export const primaryKey = (
  columns: Columns,
  positions: readonly number[],
  encoding: TextEncoding,
  bytesMax = shownBytesMax,
): RowKey => positions.map((i) => columnKey(columns, i, encoding, bytesMax))

function columnKey(columns: Columns, i: number, encoding: TextEncoding, bytesMax: number): KeyColumn {
  switch (columns.kind[i]) {
    case kinds.integer:
      return integerKey(columns.integerAt(i))
    case kinds.real:
      return realKey(columns.numberAt(i))
    case kinds.text:
      return decoderOf(encoding).decode(columns.bytesAt(i).subarray(0, bytesMax))
    case kinds.blob:
      return { blob: Buffer.from(columns.bytesAt(i).subarray(0, bytesMax)).toString('hex') }
    default:
      return null
  }
}

/** JSON has no infinite numbers, and would show null. */
const realKey = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

/** For SQLite a byte order mark is a character like any other. */
export const decoderOf = (
  encoding: TextEncoding,
  options: { readonly fatal?: boolean } = {},
): InstanceType<typeof TextDecoder> =>
  new TextDecoder(encoding === 2 ? 'utf-16le' : encoding === 3 ? 'utf-16be' : 'utf-8', { ...options, ignoreBOM: true })
