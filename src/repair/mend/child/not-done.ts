/** Child side: what SQLite threw, as an answer. */
import Database from 'better-sqlite3'
import type { DoneOrNot, NotDone } from '../protocol.ts'

/** @throws errors that are not SQLite's */
export function tryDone(work: () => void): DoneOrNot {
  try {
    work()
    return { kind: 'done' }
  } catch (error) {
    return notDone(error)
  }
}

/** @throws any error that is not SQLite's */
export function notDone(error: unknown): NotDone {
  if (!(error instanceof Database.SqliteError)) throw error
  const reason = reasons.find(([pattern]) => pattern.test(error.code))?.[1] ?? 'other'
  return { kind: 'not-done', reason, why: error.message }
}

/** By the names of SQLite's result codes. CANTOPEN: a temporary file could not be made. */
const reasons: readonly (readonly [RegExp, NotDone['reason']])[] = [
  [/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY)$/, 'not-unique'],
  [/^SQLITE_(?:CORRUPT|NOTADB|IOERR_SHORT_READ|IOERR_CORRUPTFS)/, 'corrupt'],
  [/^SQLITE_FULL$/, 'space'],
  [/^SQLITE_NOMEM$|^SQLITE_IOERR_NOMEM$/, 'memory'],
  [/^SQLITE_(?:IOERR|CANTOPEN|READONLY)/, 'disk'],
]

export const notDoneBecause = (why: string): NotDone => ({ kind: 'not-done', reason: 'other', why })
