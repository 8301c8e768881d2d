/**
 * Child side: asks a rule of the application (`check.invariants`): one SELECT, whose rows are what violates it. The
 * statement comes from the configuration, and the file may be hostile. Nothing of the snapshot is written, no other
 * file is attached, and only the first column of each row is looked at.
 */
import Database from 'better-sqlite3'
import type { KeyColumn, RowKey } from '../../../model/result/finding.ts'
import type { RuleAnswer } from '../../step-answers.ts'
import { tokensOf } from '../schema/sql-tokens.ts'
import { openDatabase } from './open-database.ts'

/** As in every finding. */
const keysMax = 20
/** A rule that many rows violate needs no exact number. */
const rowsMax = 10_000
const textLengthMax = 200
const blobBytesMax = 64

export function askRule(path: string, sql: string): RuleAnswer {
  const first = tokensOf(sql)[0]?.text.toUpperCase() ?? ''
  if (!['SELECT', 'WITH', 'VALUES'].includes(first)) return unjudged('it must be one SELECT')
  let db: Database.Database | null = null
  try {
    db = openDatabase(path, 'strict')
    db.exec('PRAGMA query_only=ON')
    const statement = db.prepare<[], readonly unknown[]>(sql)
    if (!statement.reader || !statement.readonly) return unjudged('it must be one SELECT that writes nothing')
    return violations(statement.raw().safeIntegers().iterate())
  } catch (error) {
    // A RangeError of better-sqlite3: no statement, or more than one.
    if (error instanceof Database.SqliteError || error instanceof RangeError) return unjudged(error.message)
    throw error
  } finally {
    db?.close()
  }
}

const unjudged = (why: string): RuleAnswer => ({ kind: 'unjudged', why })

function violations(rows: Iterable<readonly unknown[]>): RuleAnswer {
  const keys: RowKey[] = []
  let total = 0
  for (const [value] of rows) {
    if (total === rowsMax) return { kind: 'violated', keys, total, more: true }
    total++
    if (keys.length < keysMax) keys.push(keyOf(value))
  }
  return total === 0 ? { kind: 'held' } : { kind: 'violated', keys, total, more: false }
}

/** An integer is taken for a rowid; anything else is a key of one column. */
function keyOf(value: unknown): RowKey {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  return [columnOf(value)]
}

function columnOf(value: unknown): KeyColumn {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (Buffer.isBuffer(value)) return { blob: value.subarray(0, blobBytesMax).toString('hex') }
  return typeof value === 'string' ? value.slice(0, textLengthMax) : null
}
