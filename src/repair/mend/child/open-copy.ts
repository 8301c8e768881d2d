/** Child side: opens a copy that is to be changed, and closes it as one plain file. */
import { closeSync, openSync, readSync } from 'node:fs'
import Database from 'better-sqlite3'
import { readHeader } from '../../../sqlite/header.ts'

/**
 * For pages, and again for each sorting; the rest goes to files in the sandbox. SQLite sorts in pieces of this size.
 * They stay in the cache of the processor: with 320 MB a REINDEX took twice the processor time (repair/README.md).
 */
const cacheKibibytes = 1_000

/**
 * As check/reader/sqlite/open-database.ts, but for writing. A copy that is not completed is thrown away, so nothing is
 * synced and the journal is in memory.
 * @throws what SQLite throws; nothing is open then
 */
export function openCopy(path: string): Database.Database {
  const db = new Database(path, { fileMustExist: true, timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode=EXCLUSIVE') // First: otherwise a file in WAL mode gets a -shm.
    db.exec(
      'PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=OFF; PRAGMA synchronous=OFF; ' +
        `PRAGMA mmap_size=0; PRAGMA temp_store=FILE; PRAGMA cache_size=-${cacheKibibytes}`,
    )
    setJournal(db, 'DELETE') // It leaves WAL mode, which knows no journal in memory.
    setJournal(db, 'MEMORY')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** @param wal the journal mode that stands in the header */
export function closeCopy(db: Database.Database, wal: boolean): void {
  try {
    setJournal(db, wal ? 'WAL' : 'DELETE')
  } finally {
    db.close()
  }
}

function setJournal(db: Database.Database, wanted: 'DELETE' | 'MEMORY' | 'WAL'): void {
  const mode = String(db.pragma(`journal_mode=${wanted}`, { simple: true }))
  if (mode.toUpperCase() !== wanted) throw new Database.SqliteError(`the journal mode stays ${mode}`, 'SQLITE_ERROR')
}

/** True if the header says that the file is used with a WAL. */
export function usesWal(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const first = new Uint8Array(100)
    const reading = readHeader(first.subarray(0, readSync(file, first, 0, 100, 0)))
    return (reading.kind === 'header' || reading.kind === 'wrong') && reading.header?.writeVersion === 2
  } finally {
    closeSync(file)
  }
}
