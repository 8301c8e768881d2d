/** Child side: what SQLite threw, as an answer. */
import Database from 'better-sqlite3'
import type { FailedStep } from '../steps.ts'
import { RefusalError } from './refusal-error.ts'

/** @throws any error that is neither SQLite's nor `RefusalError` */
export function notDone(error: unknown): FailedStep {
  if (error instanceof RefusalError) return notDoneBecause(error.message)
  if (error instanceof TypeError && noFolder.test(error.message))
    return { kind: 'not-done', reason: 'disk', why: "the sandbox's folder cannot be reached" }
  if (!(error instanceof Database.SqliteError)) throw error
  const reason = reasons.find(([pattern]) => pattern.test(error.code))?.[1] ?? 'other'
  return { kind: 'not-done', reason, why: error.message }
}

/** better-sqlite3 looks for the folder itself, and does not say why it could not. */
const noFolder = /directory does not exist/

/**
 * As `notDone`, where the answer says what SQLite refused.
 * @throws also what says nothing about the file: that is the answer of the whole step
 */
export function refusedBySqlite(error: unknown): FailedStep {
  const outcome = notDone(error)
  if (outcome.reason === 'space' || outcome.reason === 'memory' || outcome.reason === 'disk') throw error
  return outcome
}

/** By the names of SQLite's result codes. CANTOPEN: a temporary file could not be made. */
const reasons: readonly (readonly [RegExp, FailedStep['reason']])[] = [
  [/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY)$/, 'not-unique'],
  [/^SQLITE_(?:CORRUPT|NOTADB|IOERR_SHORT_READ|IOERR_CORRUPTFS)/, 'corrupt'],
  [/^SQLITE_FULL$/, 'space'],
  [/^SQLITE_NOMEM$|^SQLITE_IOERR_NOMEM$/, 'memory'],
  [/^SQLITE_(?:IOERR|CANTOPEN|READONLY)/, 'disk'],
]

export const notDoneBecause = (why: string): FailedStep => ({ kind: 'not-done', reason: 'other', why })
