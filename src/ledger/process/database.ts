/**
 * Opening the ledger's file. Runs in the ledger's process only: better-sqlite3 never enters the process that holds
 * leases (hold/README.md F10).
 */

import { closeSync, constants, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { belongToFolder } from '../private-file.ts'
import { forgetOldest, lastGoodSchema } from './last-good.ts'
import { migrate, namesOfFirstVersion, readAsPresent } from './older-version.ts'
import { pauseTotalSchema } from './pause-totals.ts'
import { applicationId, schema, schemaNames, schemaVersion } from './schema.ts'
import { LedgerDamaged, LedgerUnusable, translate } from './sqlite-errors.ts'

/** How long another process may keep us from the file: a reader for the length of its answer. */
const busyMs = 15_000
/**
 * Up to here the whole file is looked at when it is opened: well under a second. Beyond it, damage is seen when it is
 * met.
 */
const inspectedBytesMax = 256_000_000

export const itIsEmpty = 'it is empty'

/**
 * Opens for writing, and makes the tables of a new file where one may be begun.
 * @throws {LedgerDamaged | LedgerUnusable}
 */
export function openForWriting(file: string, mayBegin: boolean): Database.Database {
  return opened(file, { timeout: busyMs }, (database) => {
    harden(database)
    const kind = kindOf(database)
    if (kind === 'foreign')
      throw new LedgerUnusable(`${file} is a database of another program`, {
        hint: 'give holdfast a folder of its own with ledger.dir',
      })
    if (kind === 'new' && !mayBegin) throw new LedgerDamaged(itIsEmpty)
    const version = kind === 'ours' ? versionOf(database, file) : schemaVersion
    // Before the first byte is written to it: a damaged ledger is kept as it was found.
    if (kind === 'ours') inspect(database, version)
    // Readers go on while a run writes. FULL: a line that was acknowledged outlives a power cut.
    database.pragma('journal_mode = wal')
    database.pragma('synchronous = full')
    database.pragma('cache_size = -2000') // Lines go in at the end: more would only be memory beside the service.
    database
      .transaction(() => {
        if (kind === 'new') database.exec(schema)
        if (version === 1) migrate(database, file)
        database.exec(lastGoodSchema)
        database.exec(pauseTotalSchema)
        forgetOldest(database)
      })
      .immediate()
    return database
  })
}

/**
 * Opens for reading, beside a run that may be writing. Makes no tables and no file.
 * @throws {LedgerDamaged | LedgerUnusable}
 */
export function openForReading(file: string): Database.Database {
  if (isEmptyFile(file)) throw new LedgerDamaged(`${file}: ${itIsEmpty}`)
  return opened(file, { timeout: busyMs, readonly: true, fileMustExist: true }, (database) => {
    harden(database)
    const kind = kindOf(database)
    if (kind === 'foreign') throw new LedgerUnusable(`${file} is a database of another program`)
    if (kind === 'new') throw new LedgerDamaged(`${file}: ${itIsEmpty}`) // Its first run could not write it.
    if (kind === 'ours' && versionOf(database, file) === 1) readAsPresent(database, file)
    return database
  })
}

/**
 * Ends writing. A ledger at rest is one file without a journal, so that who reads it later creates nothing beside it.
 * While somebody reads, it stays as it is.
 */
export function closeDatabase(database: Database.Database): void {
  try {
    if (!database.readonly) {
      database.pragma('busy_timeout = 200')
      database.pragma('journal_mode = delete')
    }
  } catch (error) {
    // Every line is on the disk already: what could not be tidied is left to the next run.
    if (!(error instanceof Database.SqliteError)) throw error
  } finally {
    database.close()
  }
}

/** It must not be opened: SQLite would remove the journal beside it. */
export const isEmptyFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.size === 0

function opened(
  file: string,
  options: Database.Options,
  prepare: (database: Database.Database) => Database.Database,
): Database.Database {
  let database: Database.Database | null = null
  try {
    if (options.readonly !== true) createPrivately(file)
    database = new Database(file, options)
    return prepare(database)
  } catch (error) {
    database?.close()
    return translate(error, `cannot open the ledger ${file}`)
  }
}

/** Before SQLite would create it for everybody to read. */
function createPrivately(file: string): void {
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    belongToFolder(descriptor, dirname(file))
  } finally {
    closeSync(descriptor)
  }
}

function harden(database: Database.Database): void {
  database.pragma('trusted_schema = off')
  database.pragma('cell_size_check = on')
}

function kindOf(database: Database.Database): 'new' | 'ours' | 'foreign' {
  const tables = database.prepare<[], string>("select name from sqlite_schema where type = 'table'").pluck().all()
  if (tables.length === 0) return 'new'
  return database.pragma('application_id', { simple: true }) === applicationId || tables.includes('newest_check')
    ? 'ours'
    : 'foreign'
}

function versionOf(database: Database.Database, file: string): number {
  const version = Number(database.pragma('user_version', { simple: true }))
  if (version > schemaVersion) {
    throw new LedgerUnusable(
      `${file} was written by a newer holdfast (ledger version ${version}, this one knows ${schemaVersion})`,
      { hint: 'use the newer holdfast, or give this one another ledger.dir' },
    )
  }
  if (version < 1) throw new LedgerDamaged(`${file} has tables but no version`)
  return version
}

function inspect(database: Database.Database, version: number): void {
  const names = database.prepare<[], string>('select name from sqlite_schema').pluck().all()
  const missing = (version === 1 ? namesOfFirstVersion : schemaNames).filter((name) => !names.includes(name))
  if (missing.length > 0) throw new LedgerDamaged(`${missing.join(', ')} missing from its schema`)
  const bytes =
    Number(database.pragma('page_count', { simple: true })) * Number(database.pragma('page_size', { simple: true }))
  if (bytes > inspectedBytesMax) return
  const [first] = database.prepare<[], string>('pragma quick_check(1)').pluck().all()
  if (first !== 'ok') throw new LedgerDamaged(`its check says: ${first ?? 'nothing'}`)
}
