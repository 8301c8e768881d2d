/** Child side: exact values from SQLite: texts as the bytes of the database, integers with 64 bits. */
import type { ColumnValue } from '../../../sqlite/column-value.ts'

type Raw = bigint | number | string | Uint8Array | null
/** What `typed` selects: the name of the type, and the value. */
export type TypedValue = readonly [type: string, value: Raw]

/** Two columns of a SELECT. Texts are read as blobs: a JavaScript string would lose bytes that are not valid text. */
export const typed = (expression: string): string =>
  `typeof(${expression}), CASE typeof(${expression}) WHEN 'text' THEN ` +
  `CAST(${expression} AS BLOB) ELSE ${expression} END`

export function columnValue(type: string, value: Raw): ColumnValue {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'bigint') return { kind: 'integer', value }
  if (typeof value === 'number') return { kind: 'real', value }
  if (typeof value === 'string') return { kind: 'text', bytes: new TextEncoder().encode(value) }
  return { kind: type === 'text' ? 'text' : 'blob', bytes: value }
}
