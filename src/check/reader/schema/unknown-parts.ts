/** Child side: why SQLite cannot use a virtual table, if it does not say so itself. */
import Database from 'better-sqlite3'
import { tokensOf } from './sql-tokens.ts'

/**
 * FTS5 loads its tokenizer only when it needs it, and SQLite then says no more than "SQL logic error". An empty table
 * of the same kind in a scratch database names the tokenizer that is missing.
 * @returns null if such a table works, or there is no statement @throws what SQLite throws on the schema
 */
export function whyUnusable(db: Database.Database, name: string): string | null {
  const sql = db
    .prepare<[string], string | null>(
      `SELECT CAST(sql AS TEXT) FROM sqlite_schema WHERE type = 'table' AND name = ? AND coalesce(rootpage, 0) = 0`,
    )
    .pluck()
    .get(name)
  const using = tokensOf(sql ?? '').find(({ text }) => /^using$/i.test(text))
  if (typeof sql !== 'string' || using === undefined) return null
  const scratch = new Database(':memory:')
  try {
    // One statement only: better-sqlite3 prepares no more.
    scratch.prepare(`CREATE VIRTUAL TABLE "holdfast scratch" ${sql.slice(using.from)}`).run()
    return null
  } catch (error) {
    if (error instanceof Database.SqliteError) return error.message
    if (error instanceof RangeError) return null
    throw error
  } finally {
    scratch.close()
  }
}
