import type { ReadColumn } from '../column-types.ts'
import type { QueryAnswer } from '../database.ts'
import type { RawAnswer } from './statement-lines.ts'

/** The rows with their values, as pg gives them. */
export function queryAnswerOf<Row extends object>({ parts, changed }: RawAnswer, read: ReadColumn): QueryAnswer<Row> {
  const rows = parts.flatMap(({ columns, rows }) =>
    rows.map(
      (row) => Object.fromEntries(columns.map(({ name, type }, at) => [name, read(type, row[at] ?? null)])) as Row,
    ),
  )
  return { rows, rowCount: rows.length > 0 ? rows.length : changed }
}
