/**
 * The second process that tries what a lock of ours must refuse (I1.2): first the bytes themselves, and only when
 * those are refused real SQLite, without waiting. It stops at the first thing that it is granted.
 */
import { closeSync, fstatSync, openSync, readdirSync, type BigIntStats } from 'node:fs'
import Database from 'better-sqlite3'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { tryLock, tryPosixLock } from '../../host/locks/byte-lock.ts'
import { answerIsolated } from '../../host/process/child-side.ts'
import type { ProbeAnswer } from '../../model/result/evidence.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import type { FileId, ProbeQuestion, ProbeSaid, TryLock } from './probe.ts'

// To be refused is what is expected here: a stack for each refusal took a tenth of the time.
Error.stackTraceLimit = 0

answerIsolated<ProbeQuestion, ProbeSaid>((question) => (question === 'ready' ? makeReady() : tryBoth(question)))

/**
 * Does once, on a database in memory and on our own input, what the first lock would else have to stand for: it took
 * twenty times as long.
 */
function makeReady(): 'ready' {
  const standardInput = 0
  for (const lock of [tryLock, tryPosixLock]) lock(standardInput, 'read', { start: 0, length: 1 })
  const database = new Database(':memory:', { timeout: 0 })
  tryStatement(database, 'select count(*) from sqlite_schema')
  tryStatement(database, 'begin immediate')
  database.close()
  return 'ready'
}

function tryBoth({ path, scope, file }: TryLock): ProbeAnswer {
  const raw = scope === 'exclusive' ? tryRaw(path, [lockBytes.all]) : tryRaw(`${path}-shm`, writerBytes)
  if (raw === 'granted') return { raw, read: 'not-tried', write: 'not-tried' }
  using named = nameForSqlite(path)
  const database = new Database(named.path, { timeout: 0, fileMustExist: true })
  try {
    requireOpen(file, named)
    // A writer-locked tenant may be read by anybody: only the write must be refused.
    const read = scope === 'exclusive' ? tryStatement(database, 'select count(*) from sqlite_schema') : 'not-tried'
    if (read === 'granted') return { raw, read, write: 'not-tried' }
    return { raw, read, write: tryStatement(database, 'begin immediate') }
  } finally {
    database.close()
  }
}

interface Named extends Disposable {
  readonly path: string
  /** Ours, which gives the file its name; null where it has one. */
  readonly descriptor: number | null
}

/**
 * better-sqlite3 takes names in UTF-8 only. Any other file is named by a descriptor that opens nothing: SQLite
 * follows the link, and looks for journal and WAL beside the file itself.
 */
function nameForSqlite(path: string): Named {
  if (path.isWellFormed()) return { path, descriptor: null, [Symbol.dispose]: () => undefined }
  const O_PATH = 0x200000
  const descriptor = openSync(onDisk(path), O_PATH)
  return { path: `/proc/self/fd/${descriptor}`, descriptor, [Symbol.dispose]: () => closeSync(descriptor) }
}

const writerBytes = [shmLockBytes.write, shmLockBytes.checkpoint, shmLockBytes.recover].map((start) => ({
  start,
  length: 1,
}))

/** Both kinds of lock: SQLite itself takes the POSIX kind. */
function tryRaw(
  path: string,
  ranges: readonly { readonly start: number; readonly length: number }[],
): 'refused' | 'granted' {
  using file = openDescriptor(path, 'read-write')
  const granted = ranges.some(
    (range) =>
      tryLock(file.number, 'write', range) === 'granted' || tryPosixLock(file.number, 'write', range) === 'granted',
  )
  return granted ? 'granted' : 'refused'
}

/**
 * SQLite opens by name, and who may rename in the tenant's folder could have led it to a database of somebody else,
 * into which it would recover a journal. It has only opened the file by now.
 */
function requireOpen({ dev, ino }: FileId, { path, descriptor }: Named): void {
  const isOpen = readdirSync('/proc/self/fd')
    .map(Number)
    .some((number) => {
      const found = number === descriptor ? null : lookAt(number)
      return found?.dev === dev && found.ino === ino
    })
  if (!isOpen) throw new Error(`${path} leads to another file by now`)
}

/** null for a descriptor that is closed by now: the one that the list itself was read through. */
function lookAt(descriptor: number): BigIntStats | null {
  try {
    return fstatSync(descriptor, { bigint: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return null
    throw error
  }
}

/** What SQLite can meet before it has tried a lock: it says nothing of the lock. */
const nothingTried = /^SQLITE_(?:CANTOPEN|NOMEM|IOERR_(?:NOMEM|LOCK|RDLOCK|CHECKRESERVEDLOCK)$)/

/** Any other answer than SQLITE_BUSY means that SQLite got past the lock, whatever it met there. */
function tryStatement(database: Database.Database, sql: string): 'refused' | 'granted' {
  try {
    database.exec(sql)
    if (database.inTransaction) database.exec('rollback')
    return 'granted'
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (typeof code === 'string' && code.startsWith('SQLITE_BUSY')) return 'refused'
    if (typeof code === 'string' && nothingTried.test(code)) throw error
    return 'granted'
  }
}
