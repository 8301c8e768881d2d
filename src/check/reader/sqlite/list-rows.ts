/** Child side: the keys of the rows that a statement of ours lists. */
import type Database from 'better-sqlite3'
import type { TextEncoding } from '../../../census/plan.ts'
import { Columns } from '../../../census/record/columns.ts'
import { compareRowKeys, identityKey } from '../../../census/record/row-key.ts'
import type { RowKey } from '../../../model/result/finding.ts'
import { columnValue, typed } from './column-value.ts'
import type { TypedValue } from './column-value.ts'
import { rowNames } from './computed-entries.ts'
import type { TableNames } from './computed-entries.ts'

/** Rows that a finding names. */
const rowsMax = 20

export interface ListedRows {
  /** The first of them, in the order of their keys. */
  readonly rows: readonly RowKey[]
  /** How many there are. */
  readonly total: number
  /** The statement that lists them. */
  readonly query: string
}

/** @returns null if columns have taken all names of the rowid @throws what SQLite throws */
export function listRows(db: Database.Database, naming: TableNames, condition: string): ListedRows | null {
  const names = rowNames(naming)
  if (names.length === 0) return null
  const rest = ` FROM ${naming.from} WHERE ${condition}`
  const encoding = encodingOf(db)
  const row = new Columns(names.length)
  let rows: RowKey[] = []
  let total = 0
  for (const values of db
    .prepare<[], TypedValue[number][]>(`SELECT ${names.map(typed).join(', ')}${rest}`)
    .raw()
    .safeIntegers()
    .iterate()) {
    total++
    row.take(names.map((_, i) => columnValue(String(values[2 * i]), values[2 * i + 1] ?? null)))
    rows.push(
      identityKey(
        row,
        names.map((_, i) => i),
        encoding,
        naming.key.length === 0,
      ),
    )
    if (rows.length >= 50 * rowsMax) rows = rows.toSorted(compareRowKeys).slice(0, rowsMax)
  }
  return { rows: rows.toSorted(compareRowKeys).slice(0, rowsMax), total, query: `SELECT ${names.join(', ')}${rest}` }
}

function encodingOf(db: Database.Database): TextEncoding {
  const name = String(db.pragma('encoding', { simple: true }))
  return name === 'UTF-16le' ? 2 : name === 'UTF-16be' ? 3 : 1
}
