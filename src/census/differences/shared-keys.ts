/**
 * Finds the rows of a table that share a key which must be unique. The rows decide, not the index. A wrong index may
 * have a key twice that the table has once, or once that the table has twice.
 *
 * The keys of the rows become fingerprints, which are sorted, so that equal ones lie side by side. This is done for one
 * share of the fingerprints at a time. So the memory is bounded for any number of rows.
 */

import type { RowKey } from '../../model/result/finding.ts'
import type { ColumnValue } from '../../sqlite/column-value.ts'
import type { Collation, IndexPlan, TextEncoding } from '../plan.ts'
import { Columns } from '../record/columns.ts'
import { Fingerprint } from '../record/fingerprint.ts'
import { foldedText } from '../record/key-order.ts'
import { compareRowKeys, identityKey } from '../record/row-key.ts'

/** Fingerprints of one share, at 8 bytes each. */
const keysEachShareUsual = 4_000_000
const sharesMax = 24
/** Most shared keys whose rows are counted. */
const sharedMax = 100_000
/** Rows that are named. */
const rowsMax = 20

export interface SharedKeys {
  /** The first rows that share a key with another row, in the order of their names. */
  readonly rows: readonly RowKey[]
  /** Number of all these rows. */
  readonly total: number
  /** Number of keys that they share. */
  readonly keys: number
  /** False if there are more. */
  readonly exact: boolean
}

/** Gives all entries that the index must hold, as SQLite computes them. */
export type Entries = () => Iterable<readonly ColumnValue[]>

/**
 * @param rows most rows that there may be
 * @returns null if there are too many rows, or if a collation is not known here
 */
export function findSharedKeys(
  index: IndexPlan,
  isRowid: boolean,
  encoding: TextEncoding,
  rows: number,
  entries: Entries,
  key: readonly [number, number],
  keysEachShare = keysEachShareUsual,
): SharedKeys | null {
  const shares = Math.max(1, Math.ceil(rows / keysEachShare))
  if (shares > sharesMax || index.parts.slice(0, index.uniqueParts).some(({ collation }) => collation === 'unknown'))
    return null
  const keys = new UniqueKeys(index, encoding, key)
  const shared = new Set<bigint>()
  for (let share = 0; share < shares && shared.size < sharedMax; share++)
    addShared(keys, entries, BigInt(shares), BigInt(share), shared)
  return shared.size === 0
    ? { rows: [], total: 0, keys: 0, exact: true }
    : rowsSharing(shared, keys, index, isRowid, encoding, entries)
}

function addShared(keys: UniqueKeys, entries: Entries, shares: bigint, share: bigint, shared: Set<bigint>): void {
  let prints = new BigUint64Array(1024)
  let count = 0
  for (const entry of entries()) {
    const print = keys.printOf(entry)
    if (print === null || print % shares !== share) continue
    if (count === prints.length) {
      const wider = new BigUint64Array(count * 2)
      wider.set(prints)
      prints = wider
    }
    prints[count++] = print
  }
  const sorted = prints.subarray(0, count).sort()
  for (let i = 1; i < count && shared.size < sharedMax; i++)
    if (sorted[i] === sorted[i - 1]) shared.add(sorted[i] ?? 0n)
}

function rowsSharing(
  shared: ReadonlySet<bigint>,
  keys: UniqueKeys,
  index: IndexPlan,
  isRowid: boolean,
  encoding: TextEncoding,
  entries: Entries,
): SharedKeys {
  let rows: RowKey[] = []
  let total = 0
  const columns = new Columns(index.parts.length)
  for (const entry of entries()) {
    const print = keys.printOf(entry)
    if (print === null || !shared.has(print)) continue
    total++
    columns.take(entry)
    rows.push(identityKey(columns, index.identity, encoding, isRowid))
    if (rows.length >= 50 * rowsMax) rows = rows.toSorted(compareRowKeys).slice(0, rowsMax)
  }
  return {
    rows: rows.toSorted(compareRowKeys).slice(0, rowsMax),
    total,
    keys: shared.size,
    exact: shared.size < sharedMax,
  }
}

/** Takes fingerprints of keys. Keys that the collations of the index take for equal have the same one. */
class UniqueKeys {
  readonly #collations: readonly Collation[]
  readonly #encoding: TextEncoding
  readonly #columns: Columns
  readonly #print: Fingerprint

  constructor({ parts, uniqueParts }: IndexPlan, encoding: TextEncoding, key: readonly [number, number]) {
    this.#collations = parts.slice(0, uniqueParts).map(({ collation }) => collation)
    this.#encoding = encoding
    this.#columns = new Columns(Math.max(1, uniqueParts))
    this.#print = new Fingerprint(key)
  }

  /** null if a part is NULL: such keys are all distinct. */
  printOf(entry: readonly ColumnValue[]): bigint | null {
    const values: ColumnValue[] = []
    for (const [i, collation] of this.#collations.entries()) {
      const value = entry[i]
      // SQLite stores NaN as NULL.
      if (value === undefined || value.kind === 'null' || (value.kind === 'real' && Number.isNaN(value.value)))
        return null
      values.push(
        value.kind === 'text' ? { kind: 'text', bytes: foldedText(value.bytes, collation, this.#encoding) } : value,
      )
    }
    this.#columns.take(values)
    const print = this.#print
    print.begin()
    for (let i = 0; i < values.length; i++) print.column(this.#columns, i)
    print.end()
    return (BigInt(print.high >>> 0) << 32n) | BigInt(print.low >>> 0)
  }
}
