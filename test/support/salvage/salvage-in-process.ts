/** Salvages a file in this process, and reads what came out with SQLite alone. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { DroppedEntry } from '../../../src/model/result/account.ts'
import { Salvager } from '../../../src/repair/salvage/child/salvager.ts'
import type { SalvageResult } from '../../../src/repair/salvage/salvage-result.ts'
import type { Folder } from '../cli/folder.ts'

/** Names in the folder: of the damaged file, as in every sandbox, of the new one, and of its facts. */
export const salvageNames = { damaged: 'database', result: 'new', facts: 'facts', schema: 'schema' } as const

type SalvageOutcome = Omit<SalvageResult, 'file' | 'facts' | 'ms'>

/** @throws {Error} if nothing can be salvaged */
export function salvageInProcess(folder: Folder, hasSchema = false): SalvageOutcome {
  for (const name of [salvageNames.result, salvageNames.facts]) rmSync(folder.in(name), { force: true })
  const opened = Salvager.open(folder.path, hasSchema, 1e9)
  if (typeof opened === 'string') throw new Error(opened)
  using salvager = opened
  const run = salvager.run(true)
  for (let next = run.next(); ; next = run.next()) if (next.done === true) return next.value
}

/** Rows of each table by key, as text that tells storage classes and bytes apart. */
export type ReadRows = ReadonlyMap<string, ReadonlyMap<string, string>>

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** All tables with a b-tree. A key is the rowid, or the primary key as JSON. Generated columns are read too. */
export function readRows(path: string): ReadRows {
  const database = new Database(path, { readonly: true })
  try {
    const tables = database
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")
      .pluck()
      .all()
    return new Map(tables.map((table) => [table, rowsOf(database, table)]))
  } finally {
    database.close()
  }
}

function rowsOf(database: Database.Database, table: string): ReadonlyMap<string, string> {
  const columns = database
    .prepare<[string], { readonly name: string; readonly pk: number }>('SELECT name, pk FROM pragma_table_xinfo(?)')
    .all(table)
  const isKeyed = database
    .prepare<[string], number>('SELECT wr FROM pragma_table_list WHERE name = ?')
    .pluck()
    .get(table)
  const keys = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
  const exact = columns.map(({ name }) => `typeof(${quote(name)}) || hex(${quote(name)}) || quote(${quote(name)})`)
  const key = isKeyed === 1 ? keys.map(({ name }) => `quote(${quote(name)})`).join(" || ',' || ") : "'' || rowid"
  const rows = database
    .prepare<[], [string, ...string[]]>(`SELECT ${[key, ...exact].join(', ')} FROM ${quote(table)}`)
    .raw()
    .all()
  return new Map(rows.map(([name, ...values]) => [name, values.join('|')]))
}

/** Differences of the tables that both know. `invented` leaves out tables for orphaned rows. */
export function rowDifferences(
  truth: ReadRows,
  found: ReadRows,
): { readonly missing: readonly string[]; readonly invented: readonly string[] } {
  const missing = [...truth].flatMap(([table, rows]) =>
    [...rows].filter(([key, values]) => found.get(table)?.get(key) !== values).map(([key]) => `${table} ${key}`),
  )
  const invented = [...found]
    .filter(([table]) => !table.startsWith('holdfast_orphaned'))
    .flatMap(([table, rows]) =>
      [...rows].filter(([key, values]) => truth.get(table)?.get(key) !== values).map(([key]) => `${table} ${key}`),
    )
  return { missing, invented }
}

export function integrityBySqlite(path: string): string {
  const database = new Database(path, { readonly: true })
  try {
    return String(database.pragma('integrity_check', { simple: true }))
  } finally {
    database.close()
  }
}

/** Keys of one kind that the facts list: `TABLE KEY`, as `rowDifferences` names rows of tables with rowids. */
export function listedKeys(folder: Folder, ...kinds: readonly string[]): readonly string[] {
  const database = new Database(join(folder.path, salvageNames.facts), { readonly: true })
  try {
    const marks = kinds.map(() => '?').join(', ')
    return database
      .prepare<string[], string>(
        `SELECT t.name || ' ' || k.rowid_ FROM keys k JOIN tables t ON t.id = k.table_id
        WHERE k.rowid_ IS NOT NULL AND k.kind IN (${marks})`,
      )
      .pluck()
      .all(...kinds)
  } finally {
    database.close()
  }
}

/** The entries of indexes that no row of the new file agrees with. */
export function droppedEntries(folder: Folder): readonly DroppedEntry[] {
  const database = new Database(folder.in(salvageNames.facts), { readonly: true })
  try {
    const entries = database.prepare<[], string>('SELECT entry FROM dropped').pluck().all()
    return entries.map((entry) => JSON.parse(entry) as DroppedEntry)
  } finally {
    database.close()
  }
}

/** True if the facts say that a row with this rowid may have been on a page that cannot be read. */
export function isRowidInLostRange(folder: Folder, table: string, rowid: string): boolean {
  const database = new Database(join(folder.path, salvageNames.facts), { readonly: true })
  try {
    return (
      database
        .prepare<[string, string, string], number>(
          `SELECT 1 FROM lost_rowids l JOIN tables t ON t.id = l.table_id
          WHERE t.name = ? AND l.low <= CAST(? AS INTEGER) AND l.high >= CAST(? AS INTEGER)`,
        )
        .pluck()
        .get(table, rowid, rowid) !== undefined
    )
  } finally {
    database.close()
  }
}
