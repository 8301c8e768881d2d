/** Private folders with databases in them, gone when the test is over. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface Folder extends Disposable {
  readonly path: string
  in(name: string): string
}

export function makeFolder(parent: string = tmpdir()): Folder {
  const path = mkdtempSync(join(parent, 'test-'))
  return {
    path,
    in: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** A closed, sound database. */
export function makeDatabase(
  path: string,
  {
    rows = 50,
    wal = false,
    pageSize = 4096,
  }: { readonly rows?: number; readonly wal?: boolean; readonly pageSize?: number } = {},
): string {
  const database = new Database(path)
  database.pragma(`page_size=${pageSize}`)
  database.pragma('synchronous=OFF')
  database.pragma('journal_mode=MEMORY') // Else a file is made and removed for each statement.
  if (wal) database.pragma('journal_mode=WAL')
  database.exec(
    'CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT); CREATE INDEX notes_title ON notes(title)',
  )
  const put = database.prepare('INSERT INTO notes(title, body) VALUES(?, ?)')
  database.transaction(() => {
    for (let i = 0; i < rows; i++) put.run(`title ${i}`, `body ${i} `.repeat(8))
  })()
  database.close()
  return path
}

/** Removes half of an index behind SQLite's back: the table stays whole. */
export function damageIndex(path: string): void {
  const database = new Database(path)
  database.unsafeMode(true)
  database.pragma('writable_schema=ON')
  database.exec(
    'CREATE TABLE hidden(x); UPDATE sqlite_schema SET sql = replace(sql, ' +
      `'notes(title)', 'notes(title) WHERE id % 2') WHERE name = 'notes_title'`,
  )
  database.close()
  const partial = new Database(path)
  partial.exec('REINDEX notes_title')
  partial.unsafeMode(true)
  partial.pragma('writable_schema=ON')
  partial.exec("UPDATE sqlite_schema SET sql = replace(sql, ' WHERE id % 2', '') WHERE name = 'notes_title'")
  partial.close()
}

/** Deletes two rows behind the back of their index: its entries for them stay. */
export function leaveEntries(path: string): void {
  const database = new Database(path)
  database.unsafeMode(true)
  database.pragma('writable_schema=ON')
  const [index] = database.prepare("SELECT * FROM sqlite_schema WHERE name = 'notes_title'").raw().all() as unknown[][]
  database.exec("DELETE FROM sqlite_schema WHERE name = 'notes_title'")
  database.close()
  const without = new Database(path)
  without.unsafeMode(true)
  without.pragma('writable_schema=ON')
  without.exec('DELETE FROM notes WHERE id IN (3, 4)')
  without.prepare('INSERT INTO sqlite_schema VALUES(?, ?, ?, ?, ?)').run(index)
  without.close()
}

/** Digest and times of every file in a folder: equal before and after means that no process wrote. */
export function fingerprintOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => {
        const path = join(folder, name)
        const { mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true })
        return [name, `${createHash('sha256').update(readFileSync(path)).digest('hex')} ${mtimeNs} ${ctimeNs} ${ino}`]
      }),
  )
}
