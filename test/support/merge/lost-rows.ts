/**
 * Stands in for a salvage: the test destroys rows of known keys, and so knows what a salvage can say of them. Writes a
 * new file without these rows, and the facts (src/repair/salvage/facts.ts).
 */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { factsSchema } from '../../../src/repair/salvage/facts.ts'

type Bound = string | number | null

/** Rows of one table that were on destroyed pages. */
export interface LostRows {
  readonly table: string
  /** Rowids, both ends included. */
  readonly rowids?: readonly (readonly [low: number | bigint, high: number | bigint])[]
  /** Keys of a table WITHOUT ROWID, by the first column of the key; both ends excluded, null for none. */
  readonly keys?: readonly (readonly [low: Bound, high: Bound])[]
  /** Condition on rows: more that cannot be read, outside of the ranges (broken cells). */
  readonly cells?: string
  /** True if an index still has the entries of the lost rows. */
  readonly indexed?: boolean
  /** True if that index is whole and has all rows. */
  readonly complete?: boolean
  /** Columns whose values that index holds. */
  readonly known?: readonly string[]
  /** Condition on rows that are read, but that an index contradicts. */
  readonly doubted?: string
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (value: Bound): string =>
  value === null ? 'NULL' : typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)

/** Triggers must not run while the test removes rows, so they are taken out, and put back with the same texts. */
function withoutTriggers(db: Database.Database, work: () => void): void {
  db.unsafeMode(true)
  db.exec(`CREATE TEMP TABLE kept_triggers AS SELECT * FROM main.sqlite_schema WHERE type = 'trigger';
    PRAGMA writable_schema=ON; DELETE FROM main.sqlite_schema WHERE type = 'trigger'; PRAGMA writable_schema=RESET`)
  work()
  db.exec(`PRAGMA writable_schema=ON;
    INSERT INTO main.sqlite_schema(type, name, tbl_name, rootpage, sql)
      SELECT type, name, tbl_name, rootpage, sql FROM kept_triggers; PRAGMA writable_schema=RESET`)
}

/** @param live a sound, closed database @param to the new file; the facts are beside it, `-facts` */
export function salvageWithout(live: string, to: string, lost: readonly LostRows[]): void {
  copyFileSync(live, to)
  const db = new Database(to)
  const encoding = String(db.pragma('encoding', { simple: true }))
  db.exec(`PRAGMA foreign_keys=OFF; PRAGMA journal_mode=MEMORY`)
  const facts = new Database(`${to}-facts`)
  facts.pragma(`encoding="${encoding}"`)
  facts.exec(`PRAGMA journal_mode=MEMORY; ${factsSchema}`)
  facts.close()
  db.exec(`ATTACH '${to}-facts' AS facts`)
  const tables = db
    .prepare<[], { name: string; keyed: number }>(
      `SELECT name, sql LIKE '%WITHOUT ROWID%' AS keyed FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
    )
    .all()
  withoutTriggers(db, () => {
    for (const [i, { name, keyed }] of tables.entries())
      removeRows(
        db,
        i + 1,
        name,
        keyed === 1,
        lost.find(({ table }) => table === name),
      )
  })
  db.exec('DETACH facts')
  db.close()
}

function removeRows(db: Database.Database, id: number, name: string, keyed: boolean, lost: LostRows | undefined): void {
  db.prepare('INSERT INTO facts.tables(id, name, keyed, rows, complete) VALUES(?, ?, ?, 0, ?)').run(
    id,
    name,
    Number(keyed),
    Number(lost?.complete ?? false),
  )
  const columns = db
    .prepare<[string], { cid: number; name: string; pk: number }>('SELECT cid, name, pk FROM pragma_table_xinfo(?)')
    .all(name)
  const key = keyed
    ? columns
        .filter(({ pk }) => pk > 0)
        .toSorted((a, b) => a.pk - b.pk)
        .map((column) => quoted(column.name))
    : ['rowid']
  if (keyed) makeExactTables(db, id, key.length)
  if (lost === undefined) return
  const inRanges = keyed ? lostKeys(db, id, key, lost) : lostRowids(db, id, lost)
  const cells = lost.cells === undefined ? '0' : `(${lost.cells})`
  const gone = `(${inRanges} OR ${cells})`
  if (lost.indexed ?? false) listKeys(db, id, name, key, keyed, gone, 'unreadable')
  else if (lost.cells !== undefined) listKeys(db, id, name, key, keyed, cells, 'unreadable')
  if (lost.doubted !== undefined) listKeys(db, id, name, key, keyed, lost.doubted, 'doubted')
  for (const column of lost.known ?? []) {
    const cid = columns.find((one) => one.name === column)?.cid
    const from = keyed
      ? `facts.keys f JOIN facts.keys_${id} e ON e.id = f.rowid
          JOIN ${quoted(name)} t ON ${key.map((one, i) => `t.${one} = e.k${i}`).join(' AND ')}`
      : `facts.keys f JOIN ${quoted(name)} t ON t.rowid = f.rowid_`
    db.exec(`INSERT INTO facts.known SELECT ${id}, f.rowid, ${cid}, t.${quoted(column)} FROM ${from}
      WHERE f.table_id = ${id} AND f.kind = 'unreadable'`)
  }
  db.exec(`DELETE FROM main.${quoted(name)} WHERE ${gone}`)
}

function makeExactTables(db: Database.Database, id: number, parts: number): void {
  const names = (prefix: string): string => Array.from({ length: parts }, (_, i) => `${prefix}${i}`).join(', ')
  db.exec(`CREATE TABLE facts.keys_${id}(id INTEGER PRIMARY KEY, ${names('k')});
    CREATE TABLE facts.lost_${id}(id INTEGER PRIMARY KEY, low INTEGER, high INTEGER, ${names('l')}, ${names('h')})`)
}

function lostRowids(db: Database.Database, id: number, { rowids = [] }: LostRows): string {
  for (const [low, high] of rowids)
    db.exec(`INSERT INTO facts.lost_rowids(table_id, low, high) VALUES(${id}, ${low}, ${high})`)
  return `(${['0', ...rowids.map(([low, high]) => `rowid BETWEEN ${low} AND ${high}`)].join(' OR ')})`
}

/** A bound names the first column of the key only: the others are as low as can be. */
function lostKeys(db: Database.Database, id: number, key: readonly string[], { keys = [] }: LostRows): string {
  for (const [low, high] of keys) {
    db.exec(`INSERT INTO facts.lost_keys(table_id) VALUES(${id});
      INSERT INTO facts.lost_${id}(id, low, high, l0, h0)
        VALUES(last_insert_rowid(), ${low !== null}, ${high !== null}, ${literal(low)}, ${literal(high)})`)
  }
  const inRange = keys.map(([low, high]) =>
    [
      ...(low === null ? [] : [`${key[0]} > ${literal(low)}`]),
      ...(high === null ? [] : [`${key[0]} < ${literal(high)}`]),
      '1',
    ].join(' AND '),
  )
  return `(${['0', ...inRange].join(' OR ')})`
}

function listKeys(
  db: Database.Database,
  id: number,
  name: string,
  key: readonly string[],
  keyed: boolean,
  condition: string,
  kind: string,
): void {
  const json = keyed ? `'["not exact"]'` : 'rowid'
  if (!keyed)
    return void db.exec(`INSERT INTO facts.keys(table_id, kind, rowid_, key, why)
      SELECT ${id}, '${kind}', rowid, ${json}, 'test' FROM ${quoted(name)} WHERE ${condition}`)
  const next = db.prepare<[], number>('SELECT coalesce(max(rowid), 0) FROM facts.keys').pluck().get() ?? 0
  db.exec(`INSERT INTO facts.keys(rowid, table_id, kind, key, why)
      SELECT ${next} + row_number() OVER (ORDER BY ${key.join(', ')}), ${id}, '${kind}', ${json}, 'test'
      FROM ${quoted(name)} WHERE ${condition};
    INSERT INTO facts.keys_${id}
      SELECT ${next} + row_number() OVER (ORDER BY ${key.join(', ')}), ${key.join(', ')}
      FROM ${quoted(name)} WHERE ${condition}`)
}
