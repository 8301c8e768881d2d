/**
 * Child side: rows that share a key which must be unique. Both came from intact pages. The row stays that the entries
 * of readable indexes name, the others go to the orphaned rows. If nothing says which is right, the first by rowid
 * stays.
 */
import type Database from 'better-sqlite3'
import { Columns } from '../../../../census/record/columns.ts'
import { columnValue, typed, type TypedValue } from '../../../../check/reader/sqlite/column-value.ts'
import { computationOf, tableNamesOf, rowNames } from '../../../../check/reader/sqlite/computed-entries.ts'
import { invariant } from '../../../../model/bug.ts'
import type { ContradictedIndex } from '../../salvage-result.ts'
import { collationName, storedOf, type TreeShape } from '../read/shape.ts'
import type { SalvageContext } from '../write/table-salvage.ts'
import { matchEntries, type RowName } from './match-entries.ts'

type MovedRowCounts = Pick<ContradictedIndex, 'rows' | 'undecided'>

export const notMoved: MovedRowCounts = { rows: 0, undecided: 0 }

/**
 * Yields after each page of an index.
 * @param table of the index @returns how many rows were moved; 0 if they cannot be found
 */
export function* moveContradicting(
  to: SalvageContext,
  table: TreeShape,
  index: TreeShape,
): Generator<void, MovedRowCounts> {
  const { db } = to.newFile
  to.newFile.show('tables')
  const names = findSharing(to, table, index)
  if (names === 0) return notMoved
  yield* weigh(to, table, index, names)
  const undecided = rank(to, names)
  to.newFile.show('plain')
  const rows = moveRows(to, table, index, names)
  db.exec('DROP TABLE temp.sharing; DROP TABLE temp.contradicting')
  to.newFile.show('tables')
  return { rows, undecided }
}

const numbered = (names: number): readonly string[] => Array.from({ length: names }, (_, i) => `n${i}`)

/**
 * Makes a table of all rows whose key another row has, too. Its columns have no type, as those of the plain tables.
 * `backed`: an entry of this index has the row. `against`: how many entries of indexes have other values for it.
 * @returns how many columns name a row; 0 if SQLite cannot find the rows
 */
function findSharing({ newFile: { db } }: SalvageContext, table: TreeShape, index: TreeShape): number {
  const computing = computationOf(db, index.name, table.name)
  const names = rowNames(tableNamesOf(db, table.name))
  if (computing.kind !== 'query' || names.length === 0 || index.plan === null) return 0
  const { terms, from, where } = computing
  const unique = terms
    .slice(0, index.plan.uniqueParts)
    .map((term, i) => `${term} COLLATE ${collationName(index.key[i]?.collation ?? 'BINARY')}`)
    .join(', ')
  const notNull = terms.slice(0, index.plan.uniqueParts).map((term) => `${term} IS NOT NULL`)
  const key = numbered(names.length).join(', ')
  db.exec(
    `CREATE TEMP TABLE sharing AS SELECT ${key}, shared, 0 AS backed, 0 AS against FROM (SELECT ` +
      `${names.map((name, i) => `+${name} AS n${i}`).join(', ')}, count(*) OVER (PARTITION BY ${unique}) AS members, ` +
      `dense_rank() OVER (ORDER BY ${unique}) AS shared FROM ${from}` +
      `${where === '' ? ' WHERE' : `${where} AND`} ${notNull.join(' AND ')}) WHERE members > 1; ` +
      `CREATE INDEX temp.sharing_key ON sharing(${key})`,
  )
  return names.length
}

/** Asks all entries of all indexes of the table about these rows. */
function* weigh(to: SalvageContext, table: TreeShape, index: TreeShape, names: number): Generator<void> {
  const { db } = to.newFile
  const statements = new Map<string, Database.Statement>()
  const note = ({ values, texts }: RowName, change: string): void => {
    const which = numbered(names).map((name, i) => `${name} = ${texts[i] === 't' ? 'CAST(? AS TEXT)' : '?'}`)
    const sql = `UPDATE temp.sharing SET ${change} WHERE ${which.join(' AND ')}`
    const statement = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, statement)
    statement.run(values)
  }
  for (const tree of to.trees) {
    if (!tree.isCertain || tree.shape.kind !== 'index' || tree.shape.table !== table.name) continue
    for (const entry of matchEntries(to, table, tree)) {
      if (entry === null) yield
      else if (entry.match === 'differs') note(entry.row, 'against = against + 1')
      else if (entry.match === 'agrees' && tree.shape === index) note(entry.row, 'backed = 1')
    }
  }
}

/** Makes the table of the rows that do not stay. @returns of how many keys nothing says which row has them */
function rank({ newFile: { db } }: SalvageContext, names: number): number {
  const key = numbered(names).join(', ')
  db.exec(
    `CREATE TEMP TABLE contradicting AS SELECT * FROM (SELECT ${key}, shared, ` +
      `row_number() OVER (PARTITION BY shared ORDER BY backed DESC, against, ${key}) AS place, ` +
      'rank() OVER (PARTITION BY shared ORDER BY backed DESC, against) = 1 AS undecided FROM temp.sharing) ' +
      `WHERE place > 1; CREATE INDEX temp.contradicting_key ON contradicting(${key})`,
  )
  return (
    db.prepare<[], number>('SELECT count(DISTINCT shared) FROM temp.contradicting WHERE undecided').pluck().get() ?? 0
  )
}

function moveRows(
  { newFile, facts, orphans }: SalvageContext,
  table: TreeShape,
  index: TreeShape,
  names: number,
): number {
  const { db } = newFile
  const isRowid = table.kind === 'rowid-table'
  const plain = newFile.plainTable(table)
  const key = isRowid ? ['rowid'] : table.key.map((_, i) => `c${i}`)
  const columns = table.columns.map((_, i) => `c${i}`)
  const same = numbered(names).map((name, i) => `p.${key[i]} = x.${name}`)
  // One at a time: they may be all rows of a table.
  const row = db
    .prepare<[number], TypedValue[1][]>(
      `SELECT x.undecided, ${[...(isRowid ? ['rowid'] : []), ...columns].map((one) => typed(`p.${one}`)).join(', ')}
        FROM temp.contradicting x CROSS JOIN ${plain} p ON ${same.join(' AND ')} WHERE x.rowid = ?`,
    )
    .raw()
    .safeIntegers()
  const total = db.prepare<[], number>('SELECT count(*) FROM temp.contradicting').pluck().get() ?? 0
  db.exec('BEGIN')
  for (let moved = 1; moved <= total; moved++) {
    const found = row.get(moved)
    invariant(found !== undefined, 'a row that is moved is in its table')
    const [undecided, ...typedValues] = found
    const values = Array.from({ length: typedValues.length / 2 }, (_, i) =>
      columnValue(String(typedValues[2 * i]), typedValues[2 * i + 1] ?? null),
    )
    const [first] = values
    const rowid = isRowid && first?.kind === 'integer' ? first.value : null
    const stored = isRowid ? values.slice(1) : values
    const texts = stored.map(({ kind }) => (kind === 'text' ? 't' : '-')).join('')
    orphans.add(table, 0, { rowid, values: stored.map(storedOf), texts })
    const why =
      undecided === 1n ? `nothing says which row has its key in` : `entries say that another row has its key in`
    facts.addKey(table, 'orphaned', rowid ?? keyOf(stored), null, `${why} UNIQUE ${index.name}`)
    for (const kind of ['doubted', 'from-index'] as const) facts.forget(table, kind, rowid ?? keyOf(stored))
  }
  const which = isRowid ? 'rowid' : `(${key.join(', ')})`
  db.exec(`DELETE FROM ${plain} WHERE ${which} IN (SELECT ${numbered(names).join(', ')} FROM temp.contradicting)`)
  db.exec('COMMIT')
  return total

  function keyOf(stored: readonly ReturnType<typeof columnValue>[]): Columns {
    const columns = new Columns(table.key.length)
    columns.take(stored.slice(0, table.key.length))
    return columns
  }
}
