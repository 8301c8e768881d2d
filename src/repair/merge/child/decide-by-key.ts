/** Child side: compares the rows of one table by key, and decides about each key before anything is written. */

import type Database from 'better-sqlite3'
import type { ConflictRule } from '../../../model/result/account.ts'
import { deeds, sides } from './row-sets.ts'
import type { RowSets } from './row-sets.ts'
import { quoted } from './side-tables.ts'
import { exactKeys } from './table-facts.ts'
import type { KnownLosses } from './table-facts.ts'

export interface ComparedRows {
  readonly inBackup: number
  readonly inNewer: number
  /** Keys that only indexes or lost pages know; the backup may have them. */
  readonly unreadable: number
  /** Keys of both sides and of the indexes, together. Counted from the tables, not from what was decided. */
  readonly union: number
}

/** @throws what SQLite throws */
export function decideByKey(
  db: Database.Database,
  rows: RowSets,
  facts: KnownLosses,
  prefer: ConflictRule,
): ComparedRows {
  db.exec(rows.decisions())
  decideNewerRows(db, rows, facts, prefer)
  decideRowsOfBackup(db, rows, facts)
  decideUnreadable(db, rows, facts)
  markOutdated(db, rows, facts)
  return countRows(db, rows, facts)
}

const missing = (rows: RowSets, alias: 'b' | 'n'): string => `${rows.key(alias)[0]} IS NULL`

/**
 * Rows that the newer side has and the backup has not, or has with other values. One that is equal on both sides and
 * contradicted by indexes is a conflict too: a newer version of it was lost.
 */
function decideNewerRows(db: Database.Database, rows: RowSets, facts: KnownLosses, prefer: ConflictRule): void {
  const key = rows.key('n')
  const isDoubted = `EXISTS (SELECT 1 FROM ${facts.doubted} d WHERE ${rows.sameKey(rows.workKey('d'), key)})`
  const inConflict =
    prefer === 'backup' ? deeds.older : `CASE WHEN ${isDoubted} THEN ${deeds.older} ELSE ${deeds.newer} END`
  db.exec(`INSERT INTO ${rows.work}
    SELECT ${key.join(', ')},
      CASE WHEN ${missing(rows, 'b')} THEN ${deeds.added} ELSE ${inConflict} END,
      CASE WHEN ${missing(rows, 'b')} THEN ${sides.newer} ELSE ${sides.both} END, 0
    FROM ${rows.of('newer')} n LEFT JOIN ${rows.of('main')} b ON ${rows.sameKey(rows.key('b'), key)}
    WHERE ${missing(rows, 'b')} OR NOT (${rows.sameContent()}) OR ${isDoubted}`)
}

/** Rows that only the backup has: an index still knows them, or their page is lost, or they were deleted. */
function decideRowsOfBackup(db: Database.Database, rows: RowSets, facts: KnownLosses): void {
  const key = rows.key('b')
  const isKnown = `EXISTS (SELECT 1 FROM ${facts.unreadable} u WHERE ${rows.sameKey(rows.workKey('u'), key)})`
  const returns = facts.isComplete ? isKnown : `${isKnown} OR ${facts.isLost}`
  db.exec(`INSERT INTO ${rows.work}
    SELECT ${key.join(', ')}, CASE WHEN ${returns} THEN ${deeds.returned} ELSE ${deeds.deleted} END, ${sides.backup}, 0
    FROM ${rows.of('main')} b LEFT JOIN ${rows.of('newer')} n ON ${rows.sameKey(rows.key('n'), key)}
    WHERE ${missing(rows, 'n')}`)
}

/** Keys that neither side has a row of. */
function decideUnreadable(db: Database.Database, rows: RowSets, facts: KnownLosses): void {
  const key = rows.workKey('u')
  db.exec(`INSERT INTO ${rows.work}
    SELECT ${key.join(', ')}, ${deeds.unreadable}, ${sides.none}, 0 FROM ${facts.unreadable} u
    WHERE ${isNotIn(rows, 'main', 'b', key)} AND ${isNotIn(rows, 'newer', 'n', key)}`)
}

const isNotIn = (rows: RowSets, side: 'main' | 'newer', alias: 'b' | 'n', key: readonly string[]): string =>
  `NOT EXISTS (SELECT 1 FROM ${rows.of(side)} ${alias} WHERE ${rows.sameKey(rows.key(alias), key)})`

/** Rows that come back, though an index holds other values of them: the newer side had another version. */
function markOutdated(db: Database.Database, rows: RowSets, facts: KnownLosses): void {
  if (facts.id === null) return
  const { columns } = rows.table
  const known = db
    .prepare<[number], number>('SELECT DISTINCT cid FROM facts.known WHERE table_id = ?')
    .pluck()
    .all(facts.id)
  for (const cid of known) {
    const column = columns[cid]
    if (column === undefined) continue
    const from = exactKeys(rows, facts.id)
    const table = rows.keyTable('o', '').name
    db.exec(rows.keyTable('o', '').sql)
    db.prepare<[number, number]>(
      `INSERT OR IGNORE INTO ${table} SELECT ${from.key.join(', ')}
        FROM facts.known v, ${from.from}, ${rows.of('main')} b
        WHERE v.table_id = ? AND v.cid = ? AND f.rowid = v.key_id AND ${rows.sameKey(rows.key('b'), from.key)}
          AND b.${quoted(column.name)} IS NOT v.value COLLATE BINARY`,
    ).run(facts.id, cid)
    const same = rows.sameKey(rows.workKey('o'), rows.workKey('w'))
    db.exec(`UPDATE ${rows.work} AS w SET what = ${deeds.older}
      WHERE what = ${deeds.returned} AND EXISTS (SELECT 1 FROM ${table} o WHERE ${same}); DROP TABLE ${table}`)
  }
}

function countRows(db: Database.Database, rows: RowSets, facts: KnownLosses): ComparedRows {
  const count = (from: string): number => db.prepare<[], number>(`SELECT count(*) FROM ${from}`).pluck().get() ?? 0
  const inBackup = count(rows.of('main'))
  const onlyNewer = count(`${rows.of('newer')} n WHERE ${isNotIn(rows, 'main', 'b', rows.key('n'))}`)
  const u = rows.workKey('u')
  const onlyKnown = count(
    `${facts.unreadable} u WHERE ${isNotIn(rows, 'main', 'b', u)} AND ${isNotIn(rows, 'newer', 'n', u)}`,
  )
  return {
    inBackup,
    inNewer: count(rows.of('newer')),
    unreadable: count(facts.unreadable),
    union: inBackup + onlyNewer + onlyKnown,
  }
}
