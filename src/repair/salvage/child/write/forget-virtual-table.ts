/** Child side: takes virtual tables out of the schema that cannot be opened. */
import type Database from 'better-sqlite3'

/** What can be read of its own tables stays, as ordinary tables. */
export function forgetVirtualTable(db: Database.Database, name: string): void {
  db.pragma('writable_schema=ON')
  db.prepare("DELETE FROM sqlite_schema WHERE type = 'table' AND name = ? AND coalesce(rootpage, 0) = 0").run(name)
  db.pragma('writable_schema=RESET')
}
