/** Child side: how SQLite is let at a hostile file (hold/README.md, Security). */
import Database from 'better-sqlite3'
import type { Fact } from '../../../model/result/reading.ts'

export type Mode = 'strict' | 'tolerant'

/**
 * Opens the snapshot: no functions of the schema's choosing, no mapped memory (a cut file would be SIGBUS), temporary
 * tables in memory, WAL index in memory rather than in a -shm file. `tolerant` goes on with what it can read of a
 * broken schema, or of a file that was cut. SQLite's hard_heap_limit does nothing in this build
 * (SQLITE_DEFAULT_MEMSTATUS=0): the memory of the whole child is watched instead.
 */
export function openDatabase(path: string, mode: Mode): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: 0 })
  try {
    // The lock first: once anything has been read, it is too late for a WAL index in memory, and files are made and
    // deleted for each snapshot.
    // Not synchronous: it is a private copy, and after a power cut nobody would look at it again.
    db.exec('PRAGMA locking_mode=EXCLUSIVE')
    if (mode === 'tolerant') {
      // Before anything reads the schema: what SQLite can make of it is kept then, and the first who asks hears of the
      // rest.
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
    }
    db.exec(
      'PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA ' +
        'temp_store=MEMORY; PRAGMA foreign_keys=OFF; PRAGMA synchronous=OFF',
    )
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** What SQLite threw, as a fact. Anything else that is thrown is a defect of ours. */
export function thrownFact(error: unknown, during: string, object: string | null): Fact & { kind: 'thrown' } {
  if (!(error instanceof Database.SqliteError)) throw error
  return { kind: 'thrown', code: error.code, text: error.message, during, object }
}

/** An SQL string literal, or with `"` a quoted name. */
export const quoteName = (name: string, mark: '"' | "'" = '"'): string =>
  mark + name.replaceAll(mark, mark + mark) + mark
