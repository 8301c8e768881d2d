/**
 * Child side: what SQLite's check of a table says beside CHECK constraints and generated columns. It is for a table on
 * which SQLite breaks off, because these need a function or a collation that is not here.
 */
import Database from 'better-sqlite3'
import type { Fact } from '../../../model/result/reading.ts'
import { isStrict } from '../schema/schema-facts.ts'
import { tokensOf, unquote } from '../schema/sql-tokens.ts'
import { tableNamesOf } from './computed-entries.ts'
import { openDatabase, quoteName } from './open-database.ts'

/** True for what SQLite throws if it lacks a function or a collation, or has the function with other arguments. */
export const lacksPart = (text: string): boolean =>
  /^(?:(?:no such|unknown) (?:function|collation)\b|wrong number of arguments to function )/.test(text)

/** The types of values that a STRICT column of this type may hold. ANY takes all. */
const strictTypes: ReadonlyMap<string, string> = new Map([
  ['INT', "'integer'"],
  ['INTEGER', "'integer'"],
  ['REAL', "'real'"],
  ['TEXT', "'text'"],
  ['BLOB', "'blob'"],
])

/**
 * Compares the stored columns with NOT NULL and with the types of a STRICT table.
 * @returns SQLite's own messages; null if the rows cannot be read
 */
export function checkColumns(db: Database.Database, table: string): readonly Fact[] | null {
  return orNull(() => wrongColumns(db, table)) ?? orNull(() => inKnownOrder(db.name, table, wrongColumns))
}

function orNull<Value>(work: () => Value): Value | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Database.SqliteError) return null
    throw error
  }
}

function wrongColumns(db: Database.Database, table: string): readonly Fact[] {
  const conditions = conditionsOf(db, table)
  if (conditions.length === 0) return []
  // One pass over the rows.
  const wrong = db
    .prepare<[], (number | null)[]>(
      `SELECT ${conditions.map(({ sql }) => `max(${sql})`).join(', ')} FROM ${tableNamesOf(db, table).from}`,
    )
    .raw()
    .get()
  return conditions.flatMap(({ message }, i) => (wrong?.[i] === 1 ? [{ kind: 'message', text: message }] : []))
}

/**
 * SQLite reads no row of a table WITHOUT ROWID that is sorted by an unknown collation. In a transaction that is never
 * committed, its statement names a known one instead: a pass over all rows does not depend on their order.
 */
function inKnownOrder<Value>(
  path: string,
  table: string,
  work: (db: Database.Database, table: string) => Value,
): Value {
  const db = openDatabase(path, 'tolerant')
  try {
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN')
    db.prepare("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ? COLLATE NOCASE").run(
      withKnownCollations(statementOf(db, table)),
      table,
    )
    db.pragma('writable_schema = RESET')
    return work(db, table)
  } finally {
    // Rolls back.
    db.close()
  }
}

const knownCollations = new Set(['BINARY', 'NOCASE', 'RTRIM'])

function withKnownCollations(sql: string): string {
  const tokens = tokensOf(sql)
  const names = tokens.filter(
    ({ text }, i) => /^collate$/i.test(tokens[i - 1]?.text ?? '') && !knownCollations.has(unquote(text).toUpperCase()),
  )
  return names.reduceRight((text, { from, to }) => `${text.slice(0, from)}BINARY${text.slice(to)}`, sql)
}

const statementOf = (db: Database.Database, table: string): string =>
  db
    .prepare<[string], string | null>(
      "SELECT CAST(sql AS TEXT) FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE",
    )
    .pluck()
    .get(table) ?? ''

interface ColumnCondition {
  /** True for a value that is wrong. */
  readonly sql: string
  /** What SQLite would say. */
  readonly message: string
}

interface ColumnRow {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly hidden: number
}

/** A virtual generated column stores nothing (`hidden` 2). */
function conditionsOf(db: Database.Database, table: string): readonly ColumnCondition[] {
  const columns = db
    .prepare<[string], ColumnRow>(`SELECT name, type, "notnull", hidden FROM pragma_table_xinfo(?, 'main')`)
    .all(table)
    .filter(({ hidden }) => hidden !== 2)
  const strict = isStrict(statementOf(db, table))
  return columns.flatMap(({ name, type, notnull }): readonly ColumnCondition[] => {
    const value = `typeof(${quoteName(name)})`
    const right = strict ? strictTypes.get(type.toUpperCase()) : undefined
    return [
      ...(notnull === 0 ? [] : [{ sql: `${value} = 'null'`, message: `NULL value in ${table}.${name}` }]),
      ...(right === undefined
        ? []
        : [
            {
              sql: `${value} NOT IN (${right}, 'null')`,
              message: `non-${type.toUpperCase()} value in ${table}.${name}`,
            },
          ]),
    ]
  })
}
