/** Rows of the tables as text that tells types apart, and which rows of a recovered file are true. */
import Database from 'better-sqlite3'
import { benchTables, type TableOfBench } from './wounded-tables.ts'

/** By table and key (JSON, as accounts have it): the values of each row. */
export type TrueRows = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Type and value. Digits of hexadecimal, because `quote` ends a text at its first NUL. */
const exact = (column: string): string =>
  `(case typeof(${column}) when 'text' then 'text ' || hex(${column})
    else typeof(${column}) || ' ' || quote(${column}) end)`

export const exactValues = (columns: readonly string[]): string => columns.map(exact).join(" || ', ' || ")

export function readTrueRows(file: string): TrueRows {
  const database = new Database(file, { readonly: true })
  try {
    return new Map(benchTables.map((table) => [table.name, new Map(readRows(database, table, table.name))]))
  } finally {
    database.close()
  }
}

/** Reads the table's own tree, never an index that covers it. */
function readRows(
  database: Database.Database,
  table: TableOfBench,
  from: string,
): readonly (readonly [string, string])[] {
  const own = table.primaryKey === null ? 'not indexed' : `indexed by "sqlite_autoindex_${from}_1"`
  return database
    .prepare(`select ${keyOf(table)}, ${exactValues(table.columns)} from "${from}" ${own}`)
    .raw()
    .all() as [string, string][]
}

/** SQL of the key as an account has it. */
const keyOf = (table: TableOfBench): string => (table.primaryKey === null ? "'' || rowid" : jsonKey(table.primaryKey))

/** JSON has no BLOBs. No true key has one, but a tool may bring one back. */
export function jsonKey(columns: readonly string[]): string {
  const parts = columns.map((column) => `iif(typeof(${column}) = 'blob', 'BLOB ' || hex(${column}), ${column})`)
  return `json_array(${parts.join(', ')})`
}

export interface FoundRows {
  /** True rows in their own tables. */
  readonly exact: number
  /** True rows elsewhere: in tables for rows that no table owns. */
  readonly elsewhere: number
  /** Rows in the tables that were never there, or that have other values. */
  readonly invented: number
  /** Keys of true rows that are nowhere, by table. */
  readonly missing: ReadonlyMap<string, readonly string[]>
}

/**
 * @param strayTables finds rows that the tool did not put into a table: their values, by table
 */
export function judgeRecoveredRows(
  file: string,
  truth: TrueRows,
  readStray: (database: Database.Database, truth: TrueRows) => ReadonlyMap<string, ReadonlySet<string>>,
): FoundRows {
  const database = new Database(file, { readonly: true })
  try {
    const stray = readStray(database, truth)
    const counts = { exact: 0, elsewhere: 0, invented: 0 }
    const missing = new Map<string, string[]>()
    for (const table of benchTables) {
      const known = truth.get(table.name) ?? new Map<string, string>()
      const found = new Set<string>()
      for (const [key, values] of hasTable(database, table.name) ? readRows(database, table, table.name) : []) {
        if (known.get(key) === values) found.add(key)
        else counts.invented++
      }
      counts.exact += found.size
      const others = [...known.keys()].filter((key) => !found.has(key))
      const away = others.filter((key) => stray.get(table.name)?.has(key))
      counts.elsewhere += away.length
      missing.set(
        table.name,
        others.filter((key) => !stray.get(table.name)?.has(key)),
      )
    }
    return { ...counts, missing }
  } finally {
    database.close()
  }
}

const hasTable = (database: Database.Database, name: string): boolean =>
  database.prepare('select 1 from sqlite_schema where name = ?').get(name) !== undefined

/**
 * Rows in `lost_and_found`, where `.recover` puts rows of pages that no table owns. It has no schema for them, so the
 * rowid stands where the column of the primary key should be.
 */
export function strayOfRecover(database: Database.Database, truth: TrueRows): ReadonlyMap<string, ReadonlySet<string>> {
  const lost = database
    .prepare("select name from sqlite_schema where type = 'table' and name like 'lost\\_and\\_found%' escape '\\'")
    .pluck()
    .all() as string[]
  return new Map(
    benchTables.map((table) => {
      const keys = new Set<string>()
      for (const name of lost) {
        const columns = database.pragma(`table_info("${name}")`) as readonly { name: string }[]
        if (columns.length < 4 + table.columns.length) continue
        const values = table.columns.map((column, at) => (column === table.rowidColumn ? 'id' : `c${at}`))
        const key = table.primaryKey === null ? "'' || id" : jsonKey(table.primaryKey.map((_, at) => `c${at}`))
        const rows = database
          .prepare(`select ${key}, ${exactValues(values)} from "${name}" where nfield = ${table.columns.length}`)
          .raw()
          .all() as [string, string][]
        for (const [key, values] of rows) if (truth.get(table.name)?.get(key) === values) keys.add(key)
      }
      return [table.name, keys]
    }),
  )
}
