/** What SQLite's errors mean for the ledger. Runs in the ledger's process only. */

import Database from 'better-sqlite3'
import { inWords, isSystemError, systemFailure } from '../../host/failures/system-failure.ts'
import { ofLedger } from '../folder.ts'

/** The file is not as holdfast wrote it: it is set aside and a new one begun. */
export class LedgerDamageError extends Error {
  override readonly name = 'LedgerDamageError'
}

/** The file may be in order, but cannot be used: a full disk, no permission, a file of another program. */
export class LedgerUnusable extends Error {
  override readonly name = 'LedgerUnusable'
  readonly hint: string | null

  constructor(message: string, detail: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: detail.cause })
    this.hint = detail.hint ?? null
  }
}

/**
 * @throws {LedgerDamageError | LedgerUnusable} in the place of an error of SQLite or the file system; any other error
 * as it is
 */
export function translate(error: unknown, doing: string): never {
  if (!(error instanceof Database.SqliteError)) throw unusableBySystem(error, doing)
  // SQLITE_ERROR: a table is missing, or is not as holdfast made it. SQLITE_CONSTRAINT: an index does not match its
  // table.
  if (/^SQLITE_(CORRUPT|NOTADB|ERROR|CONSTRAINT|SCHEMA|MISMATCH|FORMAT)/.test(error.code))
    throw new LedgerDamageError(`${doing}: ${error.message}`, { cause: error })
  const hint = Object.entries(hints).find(([code]) => error.code.startsWith(code))?.[1]
  const detail = { ...(hint === undefined ? {} : { hint }), cause: error }
  throw new LedgerUnusable(`${doing}: ${error.message} (${error.code})`, detail)
}

/** By SQLite's code, because SQLite gives no errno. */
const hints = {
  SQLITE_FULL: 'free space on the disk of ledger.dir',
  SQLITE_READONLY: 'ledger.dir may only be read here: check its owner, mode, mount and attributes (`lsattr`)',
  SQLITE_CANTOPEN:
    'a file in ledger.dir cannot be opened: check its owner and mode, and the limit on open files (`ulimit -n`)',
  SQLITE_IOERR:
    'check the kernel log (`dmesg`) for errors of the disk of ledger.dir, its free space, and the ' +
    'limit on the size of files (`ulimit -f`)',
  SQLITE_NOMEM: 'memory ran out: free some, or raise the limit on it',
} as const

/** Turns an error of the file system into `LedgerUnusable`; returns any other error as it is. */
export function unusableBySystem(error: unknown, doing: string): unknown {
  if (!isSystemError(error)) return error
  const failure = systemFailure(error, { doing, path: null, ...ofLedger })
  return new LedgerUnusable(`${doing}: ${inWords(error)}`, { hint: failure.hint, cause: error })
}

/** Does `work`. @throws as `translate` */
export function translateErrors<Result>(doing: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    return translate(error, doing)
  }
}
