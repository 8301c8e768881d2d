/** Child side: rebuilds one full-text index from the text, by the command of its own module. */
import type Database from 'better-sqlite3'
import { contentOption, moduleOf } from '../../../check/reader/schema/virtual-table-module.ts'
import { quoteName } from '../../../check/reader/sqlite/open-database.ts'
import { notDoneBecause, refusedBySqlite } from '../../worker/child/not-done.ts'
import type { FailedStep } from '../../worker/steps.ts'

/** REINDEX does nothing for such an index. A table that stores no text and names none cannot be rebuilt. */
export function rebuildText(
  db: Database.Database,
  table: string,
): { readonly kind: 'done'; readonly source: string } | FailedStep {
  try {
    const named = db
      .prepare<[string], string>(
        "SELECT CAST(sql AS TEXT) FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE",
      )
      .pluck()
    const sql = named.get(table) ?? ''
    if (!/^fts[345]$/i.test(moduleOf(sql) ?? '')) return notDoneBecause(`the schema has no full-text table ${table}`)
    const own = `${table}_content`
    const source = contentOption(sql) ?? (named.get(own) === undefined ? null : own)
    if (source === null)
      return notDoneBecause(
        `${table} stores no text, and names no table that has it: only the service can index its texts again`,
      )
    const name = quoteName(table)
    db.exec(`INSERT INTO ${name}(${name}) VALUES('rebuild')`)
    return { kind: 'done', source }
  } catch (error) {
    return refusedBySqlite(error)
  }
}
