/** Child side: the keys of a table by what became of their rows, for the account. */

import type Database from 'better-sqlite3'
import type { TextEncoding } from '../../../census/plan.ts'
import { Columns } from '../../../census/record/columns.ts'
import { identityKey, listedBytesMax } from '../../../census/record/row-key.ts'
import { columnValue, typed } from '../../../check/reader/sqlite/column-value.ts'
import type { TypedValue } from '../../../check/reader/sqlite/column-value.ts'
import { invariant } from '../../../model/bug.ts'
import type { AccountedKind } from '../../../model/result/account.ts'
import type { RowKey } from '../../../model/result/finding.ts'
import { deeds } from './row-sets.ts'
import type { RowSets } from './row-sets.ts'
import { exactKeys } from './table-facts.ts'
import type { KnownLosses } from './table-facts.ts'

const { added, newer, deleted, older, unreadable, notUnique, noParent } = deeds

/** Keys in one answer, and characters of all but the last. */
const keysEachMax = 5_000
const answerLengthMax = 1_000_000

/** Gives the keys of one table and kind in pieces. No other statement may run before the last piece. */
export class KeyListing {
  #open: { readonly of: RowSets; readonly kind: AccountedKind; readonly keys: Generator<RowKey> } | null = null

  next(
    db: Database.Database,
    rows: RowSets,
    facts: KnownLosses,
    kind: AccountedKind,
  ): { readonly keys: readonly RowKey[]; readonly isLast: boolean } {
    this.#open ??= { of: rows, kind, keys: keysOfKind(db, rows, facts, kind) }
    invariant(this.#open.of === rows && this.#open.kind === kind, 'one kind of keys is listed at a time')
    const keys: RowKey[] = []
    let length = 0
    while (keys.length < keysEachMax && length <= answerLengthMax) {
      const next = this.#open.keys.next()
      if (next.done === true) {
        this.#open = null
        return { keys, isLast: true }
      }
      keys.push(next.value)
      if (typeof next.value === 'object') length += JSON.stringify(next.value).length
    }
    return { keys, isLast: false }
  }
}

/** The decisions about the rows of each kind. */
const decided = {
  added: [added],
  conflicting: [newer, older, notUnique, noParent],
  ofBackup: [older],
  leftOut: [notUnique, noParent],
  deleted: [deleted],
  unreadable: [unreadable],
} as const satisfies Partial<Record<AccountedKind, readonly number[]>>

const isDecided = (kind: AccountedKind): kind is keyof typeof decided => kind in decided

/** In the order of the keys, one at a time. @throws what SQLite throws */
function* keysOfKind(db: Database.Database, rows: RowSets, facts: KnownLosses, kind: AccountedKind): Generator<RowKey> {
  if (isDecided(kind)) yield* decidedKeys(db, rows, `w.what IN (${decided[kind].join(', ')})`, listedBytesMax)
  else if (facts.id !== null) yield* salvagedKeys(db, rows, facts.id, kind)
}

/**
 * The keys of the decisions that meet the condition on `w`.
 * @param bytesMax bytes of one column of a key; for what a report shows if it is left out
 */
export function* decidedKeys(
  db: Database.Database,
  rows: RowSets,
  condition: string,
  bytesMax?: number,
): Generator<RowKey> {
  const key = rows.workKey('w')
  const encoding = encodingOf(db)
  const row = new Columns(key.length)
  const positions = key.map((_, i) => i)
  const select = `SELECT ${key.map(typed).join(', ')} FROM ${rows.work} w WHERE ${condition} ORDER BY ${key.join(', ')}`
  for (const values of db.prepare<[], TypedValue[number][]>(select).raw().safeIntegers().iterate()) {
    row.take(key.map((_, i) => columnValue(String(values[2 * i]), values[2 * i + 1] ?? null)))
    yield identityKey(row, positions, encoding, rows.table.key.length === 0, bytesMax)
  }
}

/** Of rows that are in the result from indexes or against them, and of rows that no table owns. */
function* salvagedKeys(db: Database.Database, rows: RowSets, id: number, kind: AccountedKind): Generator<RowKey> {
  const from = exactKeys(rows, id)
  const same = rows.sameKey(rows.workKey('w'), from.key)
  const isIn = `NOT EXISTS (SELECT 1 FROM ${rows.work} w
    WHERE ${same} AND w.what IN (${older}, ${notUnique}, ${noParent}))`
  const select =
    kind === 'orphaned'
      ? `SELECT f.key FROM facts.keys f WHERE f.table_id = ? AND f.kind = 'orphaned' ORDER BY f.rowid`
      : `SELECT f.key FROM ${from.from} WHERE f.table_id = ? AND ${isIn} AND f.kind = ` +
        `'${kind === 'doubted' ? 'doubted' : 'from-index'}' ORDER BY f.rowid`
  for (const key of db.prepare<[number], string>(select).pluck().iterate(id)) yield JSON.parse(key) as RowKey
}

/** Pages of a table that could not be read, in order. @throws what SQLite throws */
export const pagesOf = (db: Database.Database, id: number): readonly number[] =>
  db
    .prepare<[number, number, number], number>(
      `SELECT page FROM facts.pages WHERE table_id = ?
        UNION SELECT page FROM facts.lost_rowids WHERE table_id = ? AND page IS NOT NULL
        UNION SELECT page FROM facts.lost_keys WHERE table_id = ? AND page IS NOT NULL ORDER BY page`,
    )
    .pluck()
    .all(id, id, id)

function encodingOf(db: Database.Database): TextEncoding {
  const name = String(db.pragma('encoding', { simple: true }))
  return name === 'UTF-16le' ? 2 : name === 'UTF-16be' ? 3 : 1
}
