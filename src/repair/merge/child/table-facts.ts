/**
 * Child side: what a salvage knows of one table beside its rows (repair/salvage/facts.ts), as tables of the work file
 * that statements can use. What the facts do not say counts as lost: then no row of the backup is called deleted.
 */

import type Database from 'better-sqlite3'
import type { RowKey } from '../../../model/result/finding.ts'
import { unknownLoss, type TableLoss } from '../../../model/result/remedy.ts'
import type { RowSets } from './row-sets.ts'
import { quoted } from './side-tables.ts'

export interface KnownLosses {
  /** Id of the table in the facts; null if they do not have it. */
  readonly id: number | null
  /** Condition: a page that may have held the row `b` is lost. */
  readonly isLost: string
  /**
   * Keys that only indexes or lost pages know, each once: the key, and the `id` of its line in the facts. Rows that
   * were moved out of the table are among them. So are rows without an owner, if a page that may have held them is
   * lost.
   */
  readonly unreadable: string
  /** Keys of rows of the newer side that an index contradicts. */
  readonly doubted: string
  /** True if an index without damage lists all rows, so that a key which nothing knows was deleted. */
  readonly isComplete: boolean
  /** True if nothing of the table was lost. */
  readonly isWhole: boolean
}

/** @param name as the facts call the table @throws what SQLite throws */
export function readFacts(db: Database.Database, rows: RowSets, name: string): KnownLosses {
  const found = db
    .prepare<[string], { readonly id: number; readonly complete: number }>(
      'SELECT id, complete FROM facts.tables WHERE name = ? COLLATE NOCASE',
    )
    .get(name)
  const unreadable = keysOf(db, rows, found?.id ?? null, 'unreadable')
  const doubted = keysOf(db, rows, found?.id ?? null, 'doubted')
  if (found === undefined) return { id: null, isLost: '1', unreadable, doubted, isComplete: false, isWhole: false }
  const { id } = found
  const ranges = rows.table.key.length === 0 ? lostRowids(db, rows, id) : lostKeys(db, rows, id)
  addOrphaned(db, rows, id, unreadable, wasMoved)
  if (ranges !== null && found.complete === 0) addOrphaned(db, rows, id, unreadable, ranges)
  return {
    id,
    isLost: ranges ?? '0',
    unreadable,
    doubted,
    isComplete: found.complete === 1,
    isWhole: ranges === null && db.prepare(`SELECT 1 FROM ${unreadable} LIMIT 1`).get() === undefined,
  }
}

/** Makes a table of the keys of this kind. The first line of a key counts. */
function keysOf(db: Database.Database, rows: RowSets, id: number | null, kind: 'unreadable' | 'doubted'): string {
  const { name, sql } = rows.keyTable(kind === 'unreadable' ? 'u' : 'd', ', id INTEGER NOT NULL')
  db.exec(sql)
  if (id === null) return name
  const from = exactKeys(rows, id)
  db.prepare<[number, string]>(
    `INSERT OR IGNORE INTO ${name} SELECT ${from.key.join(', ')}, f.rowid FROM ${from.from}
      WHERE f.table_id = ? AND f.kind = ? ORDER BY f.rowid`,
  ).run(id, kind)
  return name
}

/** Of a page of its own table, from which a salvage moved it because another row has its UNIQUE key. */
const wasMoved = 'b.holdfast_page IS NULL'

/** Adds rows without an owner whose keys meet the condition on `b` to a table of keys. */
function addOrphaned(db: Database.Database, rows: RowSets, id: number, to: string, condition: string): void {
  const from = exactKeys(rows, id)
  const { key, rowid } = rows.table
  const names = key.length === 0 ? [rowid] : key.map(({ name }) => quoted(name))
  const columns = from.key.map((one, i) => `${one} AS ${names[i]}`)
  db.prepare<[number]>(
    `INSERT OR IGNORE INTO ${to} SELECT ${rows.key('b').join(', ')}, b.holdfast_line FROM
      (SELECT ${columns.join(', ')}, f.rowid AS holdfast_line, f.page AS holdfast_page FROM ${from.from}
        WHERE f.table_id = ? AND f.kind = 'orphaned' ORDER BY f.rowid) b
      WHERE ${condition}`,
  ).run(id)
}

/** How statements read the keys of the facts as values: `f` is a line of `keys`. */
export function exactKeys(rows: RowSets, id: number): { readonly key: readonly string[]; readonly from: string } {
  const { key } = rows.table
  return key.length === 0
    ? { key: ['f.rowid_'], from: 'facts.keys f' }
    : { key: key.map((_, i) => `e.k${i}`), from: `facts.keys f JOIN facts.keys_${id} e ON e.id = f.rowid` }
}

/** A condition on `b`; null if nothing is lost. Ranges that touch become one, so one search finds the right one. */
function lostRowids(db: Database.Database, rows: RowSets, id: number): string | null {
  const { name, sql } = rows.keyTable('l', ', high INTEGER NOT NULL')
  db.exec(sql)
  const add = db.prepare<[bigint, bigint]>(`INSERT INTO ${name} VALUES(?, ?)`)
  const ranges = db
    .prepare<[number], { readonly low: bigint; readonly high: bigint }>(
      'SELECT low, high FROM facts.lost_rowids WHERE table_id = ? ORDER BY low, high',
    )
    .safeIntegers()
    .all(id)
  let open: { low: bigint; high: bigint } | null = null
  for (const { low, high } of ranges) {
    if (open !== null && low <= open.high + 1n) open.high = high > open.high ? high : open.high
    else {
      if (open !== null) add.run(open.low, open.high)
      open = { low, high }
    }
  }
  if (open === null) return null
  add.run(open.low, open.high)
  const [rowid = ''] = rows.key('b')
  return `coalesce((SELECT high FROM ${name} WHERE k <= ${rowid} ORDER BY k DESC LIMIT 1) >= ${rowid}, 0)`
}

function lostKeys(db: Database.Database, rows: RowSets, id: number): string | null {
  const any = db.prepare('SELECT 1 FROM facts.lost_keys WHERE table_id = ? LIMIT 1').get(id) !== undefined
  if (!any) return null
  const after = ordered(rows, 'r.l', '>')
  const before = ordered(rows, 'r.h', '<')
  return `EXISTS (SELECT 1 FROM facts.lost_${id} r WHERE (r.low = 0 OR ${after}) AND (r.high = 0 OR ${before}))`
}

/** The key of `b` comes after (`>`) or before (`<`) the bound in the order of the primary key. */
function ordered(rows: RowSets, bound: string, direction: '<' | '>'): string {
  const key = rows.key('b')
  const terms = rows.table.key.map(({ collation, descending }, i) => {
    const collate = ` COLLATE "${collation.replaceAll('"', '""')}"`
    const operator = descending === (direction === '<') ? '>' : '<'
    const equal = key.slice(0, i).map((one, k) => `${one} = ${bound}${k}${collationOf(rows, k)}`)
    return [...equal, `${key[i]} ${operator} ${bound}${i}${collate}`].join(' AND ')
  })
  return `(${terms.map((term) => `(${term})`).join(' OR ')})`
}

const collationOf = (rows: RowSets, at: number): string =>
  ` COLLATE "${(rows.table.key[at]?.collation ?? 'BINARY').replaceAll('"', '""')}"`

/**
 * True if a lost page may have held a row that nothing names. A range of rowids is known if each of them is in the
 * result or was decided about. After all rows were written.
 * @param isComparable a rowid means the same row on both sides @throws what SQLite throws
 */
export function mayLackRows(db: Database.Database, rows: RowSets, facts: KnownLosses, isComparable: boolean): boolean {
  if (facts.id === null || facts.isComplete) return false
  const isKeyed = rows.table.key.length > 0
  const open = db
    .prepare<[number]>(`SELECT 1 FROM facts.${isKeyed ? 'lost_keys' : 'lost_rowids'} WHERE table_id = ? AND known = 0`)
    .get(facts.id)
  if (open === undefined || isKeyed || !isComparable) return open !== undefined
  const { rowid } = rows.table
  const isWritten = `EXISTS (SELECT 1 FROM ${rows.of('main')} r WHERE r.${rowid} = w.k)`
  const gap = db
    .prepare(
      `SELECT 1 FROM ${rows.keyTable('l', '').name} l WHERE l.high - l.k >
        (SELECT count(*) FROM ${rows.of('main')} r WHERE r.${rowid} BETWEEN l.k AND l.high) - 1 +
        (SELECT count(*) FROM ${rows.work} w WHERE w.k BETWEEN l.k AND l.high AND NOT ${isWritten}) LIMIT 1`,
    )
    .get()
  return gap !== undefined
}

/**
 * Of rows that fit no table.
 * @param id of the table that was made for them, in the facts
 * @param schemaIsWhole every table is known: then they may be rows of a table that was dropped
 */
export function lossOfUnowned(
  db: Database.Database,
  { name, id }: { readonly name: string; readonly id: number },
  schemaIsWhole: boolean,
  keysMax: number,
): TableLoss {
  const from = "FROM facts.keys WHERE table_id = ? AND kind = 'orphaned'"
  const total = db.prepare<[number], number>(`SELECT count(*) ${from}`).pluck().get(id) ?? 0
  const keys = db
    .prepare<[number, number], string>(`SELECT key ${from} ORDER BY rowid LIMIT ?`)
    .pluck()
    .all(id, keysMax)
  const which = schemaIsWhole ? 'rows that fit no table: deleted or lost' : 'rows that fit no table'
  return {
    ...unknownLoss(`${name} (${which})`),
    inBoth: 0,
    lost: schemaIsWhole ? null : total,
    changed: 0,
    recovered: 0,
    unreadable: 0,
    keys: keys.map((key) => JSON.parse(key) as RowKey),
    keysTotal: total,
  }
}
