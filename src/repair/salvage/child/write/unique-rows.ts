/**
 * Child side: rows that share a key which must be unique. Both came from intact pages, and nothing says which is right:
 * the first by rowid stays, and the others go to the orphaned rows.
 */
import { Columns } from '../../../../census/record/columns.ts'
import { columnValue, typed, type Typed } from '../../../../check/reader/sqlite/column-value.ts'
import { computingOf, naming, rowNames } from '../../../../check/reader/sqlite/computed-entries.ts'
import { collationName, storedOf, type TreeShape } from '../read/shape.ts'
import type { Salvaging } from './table-salvage.ts'

/** @param table of the index @returns how many rows were moved; 0 if they cannot be found */
export function moveContradicting(to: Salvaging, table: TreeShape, index: TreeShape): number {
  const { newFile, facts, orphans } = to
  const { db } = newFile
  newFile.show('tables')
  const computing = computingOf(db, index.name, table.name)
  const names = rowNames(naming(db, table.name))
  if (computing.kind !== 'query' || names.length === 0 || index.plan === null) return 0
  const { terms, from, where } = computing
  const unique = terms
    .slice(0, index.plan.uniqueParts)
    .map((term, i) => `${term} COLLATE ${collationName(index.key[i]?.collation ?? 'BINARY')}`)
  const numbered = names.map((name, i) => `${name} AS n${i}`)
  const notNull = terms.slice(0, index.plan.uniqueParts).map((term) => `${term} IS NOT NULL`)
  db.exec(
    `CREATE TEMP TABLE contradicting AS SELECT * FROM (SELECT ${numbered.join(', ')}, ` +
      `row_number() OVER (PARTITION BY ` +
      `${unique.join(', ')} ORDER BY ${names.join(', ')}) AS place FROM ${from}` +
      `${where === '' ? ' WHERE' : `${where} AND`} ${notNull.join(' AND ')}) WHERE place > 1`,
  )
  newFile.show('plain')
  const plain = newFile.plainTable(table)
  const isRowid = table.kind === 'rowid-table'
  const key = isRowid ? 'rowid' : `(${table.key.map((_, i) => `c${i}`).join(', ')})`
  const which = `${key} IN (SELECT ${names.map((_, i) => `n${i}`).join(', ')} FROM temp.contradicting)`
  const columns = table.columns.map((_, i) => `c${i}`)
  const rows = db
    .prepare<[], Typed[1][]>(
      `SELECT ${[...(isRowid ? ['rowid'] : []), ...columns].map(typed).join(', ')} FROM ${plain} WHERE ${which}`,
    )
    .raw()
    .safeIntegers()
  let moved = 0
  for (const row of rows.all()) {
    const values = Array.from({ length: row.length / 2 }, (_, i) =>
      columnValue(String(row[2 * i]), row[2 * i + 1] ?? null),
    )
    const [first] = values
    const rowid = isRowid && first?.kind === 'integer' ? first.value : null
    const stored = isRowid ? values.slice(1) : values
    const texts = stored.map(({ kind }) => (kind === 'text' ? 't' : '-')).join('')
    orphans.add(table, 0, { rowid, values: stored.map(storedOf), texts })
    facts.addKey(table, 'orphaned', rowid ?? keyOf(stored), null, `another row has its key in UNIQUE ${index.name}`)
    moved++
  }
  db.exec(`DELETE FROM ${plain} WHERE ${which}; DROP TABLE temp.contradicting`)
  newFile.show('tables')
  return moved

  function keyOf(stored: readonly ReturnType<typeof columnValue>[]): Columns {
    const columns = new Columns(table.key.length)
    columns.take(stored.slice(0, table.key.length))
    return columns
  }
}
