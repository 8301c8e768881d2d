/** What SQLite's errors mean for the ledger. Runs in the ledger's process only. */
import Database from 'better-sqlite3'

/** The file is not what we wrote: it is set aside and a new one begun. */
export class LedgerDamaged extends Error {
  override readonly name = 'LedgerDamaged'
}

/** The file may be in good order, but we cannot work with it: disk full, no permission, somebody else's file. */
export class LedgerUnusable extends Error {
  override readonly name = 'LedgerUnusable'
  readonly hint: string | null

  constructor(message: string, detail: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: detail.cause })
    this.hint = detail.hint ?? null
  }
}

/** @throws {LedgerDamaged | LedgerUnusable} in place of an error of SQLite or the file system; any other error as it is. */
export function translate(error: unknown, doing: string): never {
  if (!(error instanceof Database.SqliteError)) throw isSystemError(error) ? new LedgerUnusable(`${doing}: ${error.message}`, { cause: error }) : error
  // SQLITE_ERROR: a table of ours is missing or other than we made it. SQLITE_CONSTRAINT: an index holds what its table does not.
  if (/^SQLITE_(CORRUPT|NOTADB|ERROR|CONSTRAINT|SCHEMA|MISMATCH|FORMAT)/.test(error.code)) throw new LedgerDamaged(`${doing}: ${error.message}`, { cause: error })
  const hint = error.code === 'SQLITE_FULL' ? { hint: 'free space on the disk of ledger.dir' } : {}
  throw new LedgerUnusable(`${doing}: ${error.message} (${error.code})`, { ...hint, cause: error })
}

/** Does `work`, with the errors of SQLite as the ledger's own. */
export function trying<Result>(doing: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    return translate(error, doing)
  }
}

const isSystemError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error
