/**
 * Child side: rows that the merge has put beside rows which their foreign keys do not allow. A row that only the newer
 * side has is added only if its parent is in the result. A row that comes back stays away if its parent was there in
 * the backup and is not in the result. Rows that had no parent before are the application's own history, and stay.
 */

import type Database from 'better-sqlite3'
import { RefusalError } from '../../worker/child/refusal-error.ts'
import { deeds } from './row-sets.ts'
import type { RowSets } from './row-sets.ts'
import { quoted } from './side-tables.ts'
import type { Side } from './side-tables.ts'
import { deleteRows } from './write-rows.ts'

interface NamedParent {
  /** The name of the parent's table. */
  readonly parent: string
  /** Columns of child and parent. */
  readonly columns: readonly (readonly [string, string])[]
}

export interface ForeignKey extends NamedParent {
  readonly rows: RowSets
  /** A bit of `loose` in the decisions about the rows. */
  readonly bit: bigint
}

/** More foreign keys in one table have no bit. */
const keysMax = 62

/** @throws {RefusalError} if the table has too many @throws what SQLite throws */
export function foreignKeysOf(db: Database.Database, rows: RowSets): readonly ForeignKey[] {
  const parts = db
    .prepare<
      [string],
      { readonly id: number; readonly table: string; readonly from: string; readonly to: string | null }
    >(`SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?, 'main') ORDER BY id, seq`)
    .all(rows.table.name)
  const keys = [...Map.groupBy(parts, ({ id }) => id).values()].flatMap((all): readonly NamedParent[] => {
    const [first] = all
    if (first === undefined || !hasTable(db, first.table)) return []
    const primary = primaryOf(db, first.table)
    const columns = all.map(({ from, to }, i) => [from, to ?? primary[i] ?? ''] as const)
    return columns.some(([, to]) => to === '') ? [] : [{ parent: first.table, columns }]
  })
  if (keys.length > keysMax)
    throw new RefusalError(`${rows.table.name} has ${keys.length} foreign keys, and at most ${keysMax} can be judged`)
  return keys.map((key, i) => ({ ...key, rows, bit: 1n << BigInt(i) }))
}

const hasTable = (db: Database.Database, name: string): boolean =>
  db.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE").get(name) !==
  undefined

const primaryOf = (db: Database.Database, table: string): readonly string[] =>
  db
    .prepare<[string], string>("SELECT name FROM pragma_table_xinfo(?, 'main') WHERE pk > 0 ORDER BY pk")
    .pluck()
    .all(table)

/** Rows `c` of this side whose key names no row of the parent. Collations and affinities are the parent's. */
function withoutParent({ rows, parent, columns }: ForeignKey, side: Side): string {
  const named = columns.map(([from]) => `c.${quoted(from)} IS NOT NULL`).join(' AND ')
  const same = columns.map(([from, to]) => `p.${quoted(to)} = c.${quoted(from)}`).join(' AND ')
  const own = rows.sameKey(rows.key('c'), rows.workKey('w'))
  return `EXISTS (SELECT 1 FROM ${rows.of(side)} c WHERE ${own} AND ${named}
    AND NOT EXISTS (SELECT 1 FROM ${side}.${quoted(parent)} p WHERE ${same}))`
}

/**
 * Before anything is written: marks rows that had no parent on their own side either.
 * @param isWhole nothing of the parent's table was lost on the newer side, so a missing parent was missing
 */
export function markHistory(db: Database.Database, key: ForeignKey, isWhole: boolean): void {
  const { rows, bit } = key
  const mark = (what: number, side: Side): void => {
    db.exec(`UPDATE ${rows.work} AS w SET loose = loose | ${bit} WHERE what = ${what} AND ${withoutParent(key, side)}`)
  }
  mark(deeds.returned, 'main')
  if (isWhole) mark(deeds.added, 'newer')
}

/** Removes rows without a parent from the result, and then those whose parents were removed. */
export function leaveOutOrphans(db: Database.Database, keys: readonly ForeignKey[]): void {
  const { added, returned, noParent } = deeds
  for (let changed = true; changed;) {
    changed = false
    for (const key of keys) {
      const { work } = key.rows
      const { changes } = db
        .prepare(
          `UPDATE ${work} AS w SET what = ${-noParent}
            WHERE what IN (${added}, ${returned}) AND loose & ${key.bit} = 0 AND ${withoutParent(key, 'main')}`,
        )
        .run()
      if (changes === 0) continue
      changed = true
      deleteRows(db, key.rows, `w.what = ${-noParent}`)
      db.exec(`UPDATE ${work} SET what = ${noParent} WHERE what = ${-noParent}`)
    }
  }
}
