/**
 * The second process, which tries what our lock must refuse (I1.2): first the lock bytes, and only if those are refused
 * real SQLite. It never waits, and stops at the first thing that it is granted.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, statSync, type BigIntStats } from 'node:fs'
import Database from 'better-sqlite3'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { tryLock, tryPosixLock } from '../../host/locks/byte-lock.ts'
import { answerIsolated } from '../../host/process/child-side.ts'
import type { ProbeAnswer } from '../../model/result/evidence.ts'
import { lockBytes, shmLockBytes } from '../../sqlite/lock-bytes.ts'
import { seeLock } from './lock-sight.ts'
import type { PinsAnswer, PinsToTry, FileId, LockToTry, ProbeQuestion, ProbeReply } from './probe.ts'

// A refusal is expected here, and a stack trace for each one would take a tenth of the time.
Error.stackTraceLimit = 0

answerIsolated<ProbeQuestion, ProbeReply>((question) => {
  if (question === 'ready') return makeReady()
  if ('range' in question) return seeLock(question)
  return 'pins' in question ? tryPins(question) : tryBoth(question)
})

/**
 * Does the same once on a database in memory and on standard input. The first time takes twenty times as long, and a
 * lock would stand meanwhile.
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

function tryBoth({ path, scope, file }: LockToTry): ProbeAnswer {
  const raw = scope === 'exclusive' ? tryRaw(path, [lockBytes.all]) : tryRaw(`${path}-shm`, writerBytes)
  if (raw === 'granted' || wouldDelete(path)) return { raw, read: 'not-tried', write: 'not-tried' }
  using named = nameForSqlite(path)
  const database = new Database(named.path, { timeout: 0, fileMustExist: true })
  try {
    requireOpen(file, named)
    // Any program may read a writer-locked tenant: only the write must be refused.
    const read = scope === 'exclusive' ? tryStatement(database, 'select count(*) from sqlite_schema') : 'not-tried'
    if (read === 'granted') return { raw, read, write: 'not-tried' }
    return { raw, read, write: tryStatement(database, 'begin immediate') }
  } finally {
    database.close()
  }
}

function tryPins({ path, pins, checkpointOf }: PinsToTry): PinsAnswer {
  const sights = pins.map(seeLock)
  const mayTry = checkpointOf !== null && !sights.includes('not-seen') && !wouldDelete(path)
  return { sights, checkpoint: mayTry ? tryCheckpoint(path, checkpointOf) : 'not-tried' }
}

/**
 * Beside a database without pages SQLite deletes the WAL and the journal by their names, whatever they hold and whoever
 * uses them. A connection that may only read does it too. One byte counts as none.
 */
const wouldDelete = (path: string): boolean =>
  statSync(onDisk(path)).size <= 1 && ['-wal', '-journal'].some((part) => existsSync(onDisk(path + part)))

/**
 * The connection may not write to the database file. So if the locks lie, its checkpoint fails at the first page. And
 * its close never writes the WAL back, even if all programs have closed meanwhile.
 */
function tryCheckpoint(path: string, file: FileId): PinsAnswer['checkpoint'] {
  using named = nameForSqlite(path)
  const database = new Database(named.path, { timeout: 0, fileMustExist: true, readonly: true })
  try {
    requireOpen(file, named)
    for (const setting of ['trusted_schema = off', 'cell_size_check = on']) database.pragma(setting)
    for (let time = 1; ; time++) {
      const answer = checkpointOnce(database)
      if (answer !== 'busy') return answer
      if (time === busyTimesMax) return 'not-tried'
    }
  } finally {
    database.close()
  }
}

/** A program that closes the file keeps new readers out for microseconds: often, if it opens for each request. */
const busyTimesMax = 100

/**
 * It reads the schema before it tries the lock. `busy`: another program kept it from that. `not-tried`: it could not
 * read it, or its header says that the database has no WAL.
 */
function checkpointOnce(database: Database.Database): PinsAnswer['checkpoint'] | 'busy' {
  try {
    const [row] = database.pragma('wal_checkpoint(PASSIVE)') as readonly { busy: number; log: number }[]
    if (row?.log !== -1) return 'granted'
    return row.busy === 1 ? 'refused' : 'not-tried'
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'SQLITE_IOERR_WRITE') return 'granted'
    if (typeof code !== 'string') throw error
    if (code.startsWith('SQLITE_BUSY')) return 'busy'
    if (/^SQLITE_(?:CORRUPT|NOTADB|ERROR|IOERR_(?:READ|SHORT_READ)$)/.test(code)) return 'not-tried'
    throw error
  }
}

interface FileForSqlite extends Disposable {
  readonly path: string
  /** Our descriptor, by which the file is named; null if its own name will do. */
  readonly descriptor: number | null
}

/**
 * better-sqlite3 takes names in UTF-8 only, and drops blanks at their end. A file with another name is named by a
 * descriptor that opens nothing (O_PATH). SQLite follows the link, and looks for journal and WAL beside the file.
 */
function nameForSqlite(path: string): FileForSqlite {
  if (path.isWellFormed() && path.trim() === path) return { path, descriptor: null, [Symbol.dispose]: () => undefined }
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
 * SQLite opens by name. A user who may rename in the tenant's folder could have led it to another database, into which
 * it would recover a journal. So far it has only opened the file.
 */
function requireOpen({ dev, ino }: FileId, { path, descriptor }: FileForSqlite): void {
  const isOpen = readdirSync('/proc/self/fd')
    .map(Number)
    .some((number) => {
      const found = number === descriptor ? null : statOf(number)
      return found?.dev === dev && found.ino === ino
    })
  if (!isOpen) throw new Error(`${path} leads to another file by now`)
}

/** Null for a descriptor that is closed by now: the list was read through it. */
function statOf(descriptor: number): BigIntStats | null {
  try {
    return fstatSync(descriptor, { bigint: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return null
    throw error
  }
}

/** Errors of SQLite from before it tries a lock: they say nothing about the lock. */
const nothingTried = /^SQLITE_(?:CANTOPEN|NOMEM|IOERR_(?:NOMEM|LOCK|RDLOCK|CHECKRESERVEDLOCK)$)/

/** Any answer but SQLITE_BUSY means that SQLite got past the lock, whatever it met there. */
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
