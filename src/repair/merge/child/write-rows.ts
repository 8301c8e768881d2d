/** Child side: writes what was decided about the rows of one table into the result. */

import type Database from 'better-sqlite3'
import type { ConflictRule } from '../../../model/result/account.ts'
import { deeds, sides } from './row-sets.ts'
import type { RowSets } from './row-sets.ts'

/**
 * Rows of one side never violate UNIQUE among themselves, because each side is sound. A row of the newer side and one
 * of the backup may: `prefer` decides which of them is left out. @throws what SQLite throws
 */
export function writeRows(db: Database.Database, rows: RowSets, prefer: ConflictRule): void {
  deleteRows(db, rows, `w.what = ${deeds.deleted}`)
  if (prefer === 'newer') replaceRows(db, rows)
  else addRows(db, rows)
}

/** Deletes the rows of the result whose decision meets the condition on `w`. */
export function deleteRows(db: Database.Database, rows: RowSets, condition: string): void {
  const table = rows.of('main')
  const { key } = rows.table
  if (key.length === 0)
    return void db.exec(`DELETE FROM ${table} WHERE ${rows.table.rowid} IN
      (SELECT w.k FROM ${rows.work} w WHERE ${condition})`)
  const same = rows.sameKey(rows.workKey('w'), rows.key('b'))
  if (db.prepare(`SELECT 1 FROM ${rows.work} w WHERE ${condition} LIMIT 1`).get() !== undefined)
    db.exec(`DELETE FROM ${table} AS b WHERE EXISTS (SELECT 1 FROM ${rows.work} w WHERE ${same} AND ${condition})`)
}

const chosen = (rows: RowSets, condition: string): string =>
  `FROM ${rows.work} w CROSS JOIN ${rows.of('newer')} n ON ${rows.sameKey(rows.key('n'), rows.workKey('w'))}
    WHERE ${condition}`

const isMissing = (rows: RowSets): string =>
  `NOT EXISTS (SELECT 1 FROM ${rows.of('main')} b WHERE ${rows.sameKey(rows.key('b'), rows.workKey('w'))})`

/**
 * A row of the newer side takes the place of those that it contradicts. If such a row has a newer version, it gets that
 * one, which may again take the place of others. Each row changes once, so this ends.
 */
function replaceRows(db: Database.Database, rows: RowSets): void {
  const { added, newer, older, returned, notUnique } = deeds
  db.exec(rows.insertFromNewer('REPLACE', chosen(rows, `w.what IN (${added}, ${newer})`)))
  const displaced = `what = ${older} AND side = ${sides.both} AND ${isMissing(rows)}`
  for (;;) {
    const { changes } = db.prepare(`UPDATE ${rows.work} AS w SET what = ${-newer} WHERE ${displaced}`).run()
    if (changes === 0) break
    db.exec(rows.insertFromNewer('REPLACE', chosen(rows, `w.what = ${-newer}`)))
    db.exec(`UPDATE ${rows.work} SET what = ${newer} WHERE what = ${-newer}`)
  }
  db.exec(`UPDATE ${rows.work} AS w SET what = ${notUnique}
    WHERE what IN (${returned}, ${older}) AND side = ${sides.backup} AND ${isMissing(rows)}`)
}

/** Rows of the newer side are only added beside those of the backup. */
function addRows(db: Database.Database, rows: RowSets): void {
  const { added, notUnique } = deeds
  db.exec(rows.insertFromNewer('IGNORE', chosen(rows, `w.what = ${added}`)))
  db.exec(`UPDATE ${rows.work} AS w SET what = ${notUnique} WHERE what = ${added} AND ${isMissing(rows)}`)
}
