/**
 * What the entries of an index hold of rows that the table does not have, or has in another state (diagnosis/README.md,
 * "Who is right").
 */

import type { RowKey, Salvage, SalvagedValue } from '../../model/result/finding.ts'
import { fromRowid, fromSql } from '../plan.ts'
import type { CensusPlan, IndexPlan, TextEncoding } from '../plan.ts'
import type { Columns } from '../record/columns.ts'
import { kinds } from '../record/columns.ts'
import { decoderOf, integerKey } from '../record/row-key.ts'

/** Rows of one finding whose values are told. */
const rowsMax = 1000

/**
 * Positions among the parts of an index whose values tell more than the key of the row, and the columns that they are
 * of.
 */
export interface SalvageColumns {
  readonly positions: readonly number[]
  readonly columns: readonly string[]
}

export function salvageColumnsOf(plan: CensusPlan, index: IndexPlan): SalvageColumns {
  const table = plan.trees[index.table]
  const positions = index.parts.flatMap(({ source }, i) =>
    source === fromRowid || index.identity.includes(i) ? [] : [i],
  )
  const names = table === undefined || table.kind === 'index' ? [] : table.columns.map(({ name }) => name)
  return { positions, columns: positions.map((i) => nameOf(index.parts[i]?.source ?? fromSql, names)) }
}

/** What SQL computed has no column that it could be put back into. */
const nameOf = (source: number, names: readonly string[]): string => names[source] ?? '(computed)'

/** The values at these positions of an entry that was decoded. */
export const valuesAt = (
  columns: Columns,
  positions: readonly number[],
  encoding: TextEncoding,
): readonly SalvagedValue[] => positions.map((i) => valueAt(columns, i, encoding))

function valueAt(columns: Columns, i: number, encoding: TextEncoding): SalvagedValue {
  switch (columns.kind[i]) {
    case kinds.integer: {
      const integer = integerKey(columns.integerAt(i))
      return typeof integer === 'string' ? { integer } : integer
    }
    case kinds.real: {
      const real = columns.numberAt(i)
      return Number.isFinite(real) ? real : { real: String(real) }
    }
    case kinds.text:
      return textOf(columns.bytesAt(i), encoding)
    case kinds.blob:
      return { blob: hexOf(columns.bytesAt(i)) }
    default:
      return null
  }
}

function textOf(bytes: Uint8Array, encoding: TextEncoding): SalvagedValue {
  try {
    return decoderOf(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return { blob: hexOf(bytes) }
    throw error
  }
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** A row that an entry names, and what the entry holds; `values` is null where they are not told. */
export interface SalvagedRow {
  readonly key: RowKey
  readonly values: readonly SalvagedValue[] | null
}

/**
 * @param rows in their order; null where nobody asked for values
 * @returns undefined where the entries hold nothing but keys
 */
export function salvageFrom(
  { columns }: SalvageColumns,
  total: number,
  rows: readonly SalvagedRow[] | null,
): Salvage | undefined {
  if (columns.length === 0) return undefined
  if (rows === null) return { columns, total }
  return {
    columns,
    total,
    rows: rows.flatMap(({ key, values }) => (values === null ? [] : [{ key, values }])).slice(0, rowsMax),
  }
}
