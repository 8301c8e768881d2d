/** Child side: opens a file that may be hostile (hold/README.md, Security). */
import Database from 'better-sqlite3'
import type { Fact } from '../../../model/result/reading.ts'

export type Mode = 'strict' | 'tolerant'

/**
 * Opens the snapshot. The schema can call no unsafe functions. No memory is mapped (a cut file would end in SIGBUS).
 * Temporary tables and the WAL index are in memory. `tolerant` reads what it can of a broken schema, or of a cut file.
 * There is no hard_heap_limit, which has no effect in this build (SQLITE_DEFAULT_MEMSTATUS=0): the parent watches the
 * memory of the whole child.
 */
export function openDatabase(path: string, mode: Mode): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: 0 })
  try {
    // The lock comes first: after the first read SQLite would make a -shm file for the WAL index.
    db.exec('PRAGMA locking_mode=EXCLUSIVE')
    if (mode === 'tolerant') {
      // Before anything reads the schema: SQLite then keeps what it can read of it.
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
    }
    // synchronous=OFF: this is a private copy, and nothing reads it after a power cut.
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

/** What SQLite threw, as a fact. @throws any other error: it is a defect of ours */
export function thrownFact(error: unknown, during: string, object: string | null): Fact & { kind: 'thrown' } {
  if (!(error instanceof Database.SqliteError)) throw error
  return { kind: 'thrown', code: error.code, text: error.message, during, object }
}

/** A quoted name, or with `'` an SQL string literal. */
export const quoteName = (name: string, mark: '"' | "'" = '"'): string =>
  mark + name.replaceAll(mark, mark + mark) + mark
