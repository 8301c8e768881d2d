/**
 * The file of the outbox. It is opened in the agent's process, which has no lock on a live file. Each chunk is checked
 * by a process of its own (hold/README.md F10).
 */

import { closeSync, constants, existsSync, openSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { isSystemError, systemFailure } from '../../host/failures/system-failure.ts'
import { giveToFolderOwner } from '../../host/private-files/folder-owner.ts'
import { Failure } from '../../model/failure.ts'

/** 'hlob': no file of another program is taken for an outbox. */
const applicationId = 0x686c6f62
const version = 2
/** How long SQLite waits for a lock. Only the agent of this ledger opens the file, so nobody has one. */
const busyMs = 5_000

/**
 * `result`: what is not stored in the fleet's database yet. `chunk`: each time that a chunk was begun; `open` until all
 * its results are in `result`. `done`: files that have a result of a run, with the attempt of the newest.
 */
const schema = `
create table result (
  sequence integer primary key autoincrement,
  run text not null,
  week text not null,
  tenant text not null,
  path text not null,
  attempt integer not null,
  local text not null,
  body text not null,
  refused text,
  unique (run, tenant, path, attempt)
) strict;
create index result_of_local on result (local) where refused is null;
create table chunk (
  local text primary key,
  run text not null,
  week text not null,
  chunk integer not null,
  attempt integer not null,
  open integer not null
) strict, without rowid;
create index chunk_of_run on chunk (run, attempt);
create table done (
  run text not null,
  tenant text not null,
  path text not null,
  attempt integer not null,
  primary key (run, tenant, path)
) strict, without rowid;
pragma application_id = ${applicationId};
pragma user_version = ${version};
`

/** From version 1, which did not know the attempts. */
const upgrade = `
alter table done add column attempt integer not null default 0;
pragma user_version = ${version};
`

export interface OutboxFile {
  readonly database: Database.Database
  /** True if the file was made now: it does not know what was sent before. */
  readonly isNew: boolean
  /** How a damaged file was renamed; null if none was. */
  readonly setAside: string | null
}

/**
 * Opens the file, or makes it. One that is damaged is kept under another name: the ledger has all its results.
 * @throws {Failure} LEDGER_UNUSABLE
 */
export function openOutboxFile(file: string): OutboxFile {
  try {
    return { ...open(file), setAside: null }
  } catch (error) {
    if (!isDamage(error)) throw unusable(error, `cannot open the outbox ${file}`)
  }
  const setAside = `${file}.damaged-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`
  return translateOutboxErrors(`cannot begin a new outbox ${file}`, () => {
    for (const part of ['-wal', '-shm', '']) if (existsSync(file + part)) renameSync(file + part, setAside + part)
    return { ...open(file), setAside }
  })
}

/** Does `work`. @throws {Failure} LEDGER_UNUSABLE for an error of SQLite or of the system */
export function translateOutboxErrors<Value>(doing: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw unusable(error, doing)
  }
}

function open(file: string): { readonly database: Database.Database; readonly isNew: boolean } {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants
  const descriptor = openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
  try {
    giveToFolderOwner(descriptor, dirname(file))
  } finally {
    closeSync(descriptor)
  }
  const database = new Database(file, { timeout: busyMs })
  try {
    database.pragma('trusted_schema = off')
    const isNew = isEmpty(database)
    if (!isNew) requireOurs(database, file)
    // FULL: a result that was put into the outbox survives a power cut.
    database.pragma('journal_mode = wal')
    database.pragma('synchronous = full')
    database.transaction(() => makeCurrent(database)).immediate()
    return { database, isNew }
  } catch (error) {
    database.close()
    throw error
  }
}

/** All or nothing. */
function makeCurrent(database: Database.Database): void {
  if (isEmpty(database)) database.exec(schema)
  else if (versionOf(database) < version) database.exec(upgrade)
}

const isEmpty = (database: Database.Database): boolean =>
  database.prepare<[], number>('select count(*) from sqlite_schema').pluck().get() === 0

const versionOf = (database: Database.Database): number => Number(database.pragma('user_version', { simple: true }))

function requireOurs(database: Database.Database, file: string): void {
  if (database.pragma('application_id', { simple: true }) !== applicationId)
    throw new Failure('LEDGER_UNUSABLE', `${file} is a database of another program`, {
      hint: 'give holdfast a folder of its own with ledger.dir',
    })
  const found = versionOf(database)
  if (found > version)
    throw new Failure('LEDGER_UNUSABLE', `${file} was written by a newer holdfast (outbox version ${found})`, {
      hint: 'use the newer holdfast; to go on with this one, let the newer one deliver all results first',
    })
  const [first] = database.prepare<[], string>('pragma quick_check(1)').pluck().all()
  if (first !== 'ok') throw new OutboxDamageError(`its check says: ${first ?? 'nothing'}`)
}

class OutboxDamageError extends Error {
  override readonly name = 'OutboxDamageError'
}

const isDamage = (error: unknown): boolean =>
  error instanceof OutboxDamageError ||
  (error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB|ERROR|SCHEMA|FORMAT)/.test(error.code))

/** Any other error is a defect, and comes back as it is. */
function unusable(error: unknown, doing: string): unknown {
  if (isSystemError(error))
    return systemFailure(error, {
      doing: doing.replace(/^cannot /, ''),
      path: null,
      code: 'LEDGER_UNUSABLE',
      tenant: 'untouched',
      elsewhere: 'name another folder in ledger.dir',
    })
  if (!(error instanceof Database.SqliteError)) return error
  return new Failure('LEDGER_UNUSABLE', `${doing}: ${error.message} (${error.code})`, {
    cause: error,
    hint: 'free space on the disk of ledger.dir, and check its mount and the kernel log (`dmesg`); no result is lost',
  })
}

/** Beside the ledger: the outbox repeats results that the ledger has. */
export const outboxFolder = (ledgerDir: string): string => join(ledgerDir, 'agent')
