/**
 * Salvage: what the entries of an index hold of rows that the table has lost, or has with other values
 * (src/diagnosis/README.md, "Which is right, index or table?").
 */

import type { RowKey, Salvage, SalvagedValue } from '../../model/result/finding.ts'
import { fromRowid, fromSql } from '../plan.ts'
import type { CensusPlan, IndexPlan, TextEncoding } from '../plan.ts'
import type { Columns } from '../record/columns.ts'
import { kinds } from '../record/columns.ts'
import { decoderOf, integerKey } from '../record/row-key.ts'

/** Rows of one finding whose values are listed. */
const rowsMax = 1000

/** The parts of an index that are not in the key of the row: their positions, and the columns that they come from. */
interface SalvageColumns {
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

/** A computed part comes from no column, so its value cannot be put back into the table. */
const nameOf = (source: number, names: readonly string[]): string => names[source] ?? '(computed)'

/** The values of a decoded entry at these positions. */
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
    return decoderOf(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return { blob: hexOf(bytes) }
    throw error
  }
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** A row that an entry names, and the values that the entry holds; null if they are not listed. */
interface SalvagedRow {
  readonly key: RowKey
  readonly values: readonly SalvagedValue[] | null
}

/**
 * @param rows in order; null if the caller does not want values
 * @returns undefined if the entries hold only keys
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
