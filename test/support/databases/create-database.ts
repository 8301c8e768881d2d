/** Creates, fills and removes databases for tests. */

import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'

export const pageSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const

export type Fill = (db: Database.Database) => void

/** Opens a new database with this page size, fills it and closes it. */
export function create(path: string, pageSize: number, fill: Fill, pragmas: readonly string[] = []): void {
  const db = new Database(path)
  try {
    db.pragma(`page_size=${pageSize}`)
    for (const pragma of pragmas) db.pragma(pragma)
    db.pragma('synchronous=OFF')
    db.pragma('journal_mode=MEMORY') // Otherwise SQLite creates and removes a file for each statement.
    fill(db)
  } finally {
    db.close()
  }
}

/** A table whose constraints take longer to check than any test waits. */
export const fillSlow: Fill = (db) => {
  db.exec('CREATE TABLE slow(a CHECK(length(hex(hex(zeroblob(3000000 + a)))) > 0))')
  db.pragma('ignore_check_constraints=ON')
  db.exec(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO slow SELECT i FROM n',
  )
}

/** `events` with three indexes, `users` with one. Some hundred rows give interior pages at small page sizes. */
export const fillEvents =
  (rows: number): Fill =>
  (db) => {
    db.exec(`
      CREATE TABLE events(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER, weight REAL, note TEXT);
      CREATE INDEX events_kind ON events(kind);
      CREATE INDEX events_at ON events(at DESC, kind);
      CREATE UNIQUE INDEX events_note ON events(note);
      CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, born INTEGER);
      CREATE INDEX users_name ON users(name);`)
    const event = db.prepare('INSERT INTO events VALUES(?,?,?,?,?)')
    const user = db.prepare('INSERT INTO users VALUES(?,?,?)')
    db.transaction(() => {
      for (let i = 1; i <= rows; i++) {
        event.run(
          i * 3,
          `kind-${i % 17}`,
          1_700_000_000 + ((i * 7919) % 100_003),
          i / 8,
          `note ${i} ${'x'.repeat(i % 40)}`,
        )
        if (i % 5 === 0) user.run(i, `User ${(i * 31) % 997}`, i % 3 === 0 ? null : 1950 + (i % 60))
      }
    })()
  }

/** Values that reach over many overflow pages. */
export const fillOverflow: Fill = (db) => {
  db.exec('CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB, tag TEXT); CREATE INDEX blobs_tag ON blobs(tag)')
  const put = db.prepare('INSERT INTO blobs VALUES(?,randomblob(?),?)')
  db.transaction(() => {
    for (let i = 1; i <= 30; i++) put.run(i, (i * i * 331) % 90_000, 'tag'.repeat((i * 97) % 900))
  })()
}

export function removeDatabase(path: string): void {
  for (const part of ['', '-wal', '-shm', '-journal']) rmSync(path + part, { force: true })
}
