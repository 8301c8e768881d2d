/**
 * Opens the ledger's file. Runs in the ledger's process only: better-sqlite3 is never loaded in the process that holds
 * leases (hold/README.md F10).
 */

import { closeSync, constants, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { giveToFolderOwner } from '../../host/private-files/folder-owner.ts'
import { sweepIndexSchema } from './answers.ts'
import { allowCompaction } from './compaction/compaction-schema.ts'
import { forgetOldest, lastGoodSchema } from './last-good.ts'
import { addLastChecks } from './last-results.ts'
import { decisiveRunsSchema } from './later-tables/decisive-runs.ts'
import { registrySchema } from './later-tables/last-registry.ts'
import { pauseTotalSchema } from './later-tables/pause-totals.ts'
import { sampleRoundSchema } from './later-tables/sample-rounds.ts'
import { migrate, namesOfFirstVersion, readAsPresent } from './older-version.ts'
import { applicationId, schema, schemaNames, schemaVersion } from './schema.ts'
import { LedgerDamageError, LedgerUnusable, translate } from './sqlite-errors.ts'

/** How long another process may lock the file: a reader does so while it answers. */
const busyMs = 15_000
/**
 * Files up to this size are checked as a whole when they are opened, in well under a second. In larger files damage is
 * found when it is read.
 */
const inspectedBytesMax = 256_000_000

export const itIsEmpty = 'it is empty'

/**
 * Opens for writing. Makes the tables of a new file.
 * @param mayBegin false if an empty file is damage
 * @throws {LedgerDamageError | LedgerUnusable}
 */
export function openForWriting(file: string, mayBegin: boolean): Database.Database {
  return openWith(file, { timeout: busyMs }, (database) => {
    harden(database)
    const kind = kindOf(database)
    if (kind === 'foreign')
      throw new LedgerUnusable(`${file} is a database of another program`, {
        hint: 'give holdfast a folder of its own with ledger.dir',
      })
    if (kind === 'new' && !mayBegin) throw new LedgerDamageError(itIsEmpty)
    const version = kind === 'ours' ? versionOf(database, file) : schemaVersion
    // Before the first byte is written: a damaged ledger is kept as it was found.
    if (kind === 'ours') inspect(database, version)
    // WAL: readers go on while a run writes. FULL: an acknowledged line survives a power cut.
    database.pragma('journal_mode = wal')
    database.pragma('synchronous = full')
    database.pragma('cache_size = -2000') // Lines are added at the end, so a larger cache would not help.
    database
      .transaction(() => {
        if (kind === 'new') database.exec(schema)
        if (version === 1) migrate(database, file)
        database.exec(lastGoodSchema)
        database.exec(pauseTotalSchema)
        database.exec(sampleRoundSchema)
        database.exec(registrySchema)
        database.exec(sweepIndexSchema)
        database.exec(decisiveRunsSchema)
        addLastChecks(database)
        allowCompaction(database)
        forgetOldest(database)
      })
      .immediate()
    return database
  })
}

/**
 * Opens for reading while a run may be writing. Makes no tables and no file.
 * @throws {LedgerDamageError | LedgerUnusable}
 */
export function openForReading(file: string): Database.Database {
  if (isEmptyFile(file)) throw new LedgerDamageError(`${file}: ${itIsEmpty}`)
  return openWith(file, { timeout: busyMs, readonly: true, fileMustExist: true }, (database) => {
    harden(database)
    const kind = kindOf(database)
    if (kind === 'foreign') throw new LedgerUnusable(`${file} is a database of another program`)
    if (kind === 'new') throw new LedgerDamageError(`${file}: ${itIsEmpty}`) // The first run could not write it.
    if (kind === 'ours' && versionOf(database, file) === 1) readAsPresent(database, file)
    return database
  })
}

/**
 * Closes the file. Without readers it leaves one file without a journal, so that a later reader creates nothing beside
 * it.
 */
export function closeDatabase(database: Database.Database): void {
  try {
    if (!database.readonly) {
      database.pragma('busy_timeout = 200')
      database.pragma('journal_mode = delete')
    }
  } catch (error) {
    // Every line is on the disk. The next run clears up the rest.
    if (!(error instanceof Database.SqliteError)) throw error
  } finally {
    database.close()
  }
}

/** An empty file must not be opened: SQLite would remove the journal beside it. */
export const isEmptyFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.size === 0

function openWith(
  file: string,
  options: Database.Options,
  prepare: (database: Database.Database) => Database.Database,
): Database.Database {
  let database: Database.Database | null = null
  try {
    if (options.readonly !== true) createPrivately(file)
    database = connect(file, options)
    return prepare(database)
  } catch (error) {
    database?.close()
    return translate(error, `cannot open the ledger ${file}`)
  }
}

function connect(file: string, options: Database.Options): Database.Database {
  try {
    return new Database(file, options)
  } catch (error) {
    // better-sqlite3 looks for the folder itself, and does not say why it could not.
    if (!(error instanceof TypeError)) throw error
    throw new LedgerUnusable(`cannot open the ledger ${file}: its folder is gone or cannot be reached`, {
      hint: 'check the owner, mode and mount of ledger.dir, and of the folders above it',
      cause: error,
    })
  }
}

/** First, because SQLite would create a file that all users can read. */
function createPrivately(file: string): void {
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    giveToFolderOwner(descriptor, dirname(file))
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
  if (version < 1) throw new LedgerDamageError(`${file} has tables but no version`)
  return version
}

function inspect(database: Database.Database, version: number): void {
  const names = database.prepare<[], string>('select name from sqlite_schema').pluck().all()
  const missing = (version === 1 ? namesOfFirstVersion : schemaNames).filter((name) => !names.includes(name))
  if (missing.length > 0) throw new LedgerDamageError(`${missing.join(', ')} missing from its schema`)
  const bytes =
    Number(database.pragma('page_count', { simple: true })) * Number(database.pragma('page_size', { simple: true }))
  if (bytes > inspectedBytesMax) return
  const [first] = database.prepare<[], string>('pragma quick_check(1)').pluck().all()
  if (first !== 'ok') throw new LedgerDamageError(`its check says: ${first ?? 'nothing'}`)
}
