/** Rows that a salvage found on pages that no table owns: in tables of their own, never in the table itself. */
import type Database from 'better-sqlite3'
import { exactValues, jsonKey, type TrueRows } from './true-rows.ts'
import { benchTables } from './wounded-tables.ts'

export function strayOfSalvage(database: Database.Database, truth: TrueRows): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    benchTables.map((table) => {
      const name = `holdfast_orphaned_${table.name}`
      const columns = (database.pragma(`table_info("${name}")`) as readonly { name: string }[]).map(({ name }) => name)
      const rowid = columns.find((column) => /rowid/.test(column)) ?? table.rowidColumn ?? 'rowid'
      if (!table.columns.every((column) => columns.includes(column))) return [table.name, new Set()]
      const key = table.primaryKey === null ? `'' || ${rowid}` : jsonKey(table.primaryKey)
      const rows = database
        .prepare(`select ${key}, ${exactValues(table.columns)} from "${name}"`)
        .raw()
        .all() as [string, string][]
      const known = truth.get(table.name)
      return [table.name, new Set(rows.filter(([key, values]) => known?.get(key) === values).map(([key]) => key))]
    }),
  )
}
