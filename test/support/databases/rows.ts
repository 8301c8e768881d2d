import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'

/** A digest of every row of every ordinary table, ordered by its first column. Equal digests mean equal data. */
export function digestOfRows(database: Database.Database): string {
  const hash = createHash('sha256')
  const tables = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name")
    .pluck()
    .all() as string[]
  for (const table of tables) {
    hash.update(table)
    for (const row of database.prepare(`select * from "${table}" order by 1`).raw().iterate() as Iterable<
      readonly unknown[]
    >) {
      for (const value of row) hash.update(value instanceof Uint8Array ? value : `${typeof value} ${String(value)};`)
    }
  }
  return hash.digest('hex')
}
