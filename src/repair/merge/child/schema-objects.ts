/**
 * Child side: views, triggers, indexes and settings of the result. Triggers must not fire while rows are written. Views
 * and triggers are rows of the schema without pages. They are taken out and put back as they are, because SQLite would
 * not accept all their texts a second time (double-quoted strings).
 */

import Database from 'better-sqlite3'
import { foldedName } from '../../../check/reader/schema/sql-tokens.ts'
import { RefusalError } from '../../worker/child/refusal-error.ts'
import { quoted } from './side-tables.ts'

const withoutPages = "type IN ('view', 'trigger')"

/** Takes views and triggers out of the result, and remembers those of both sides. @throws what SQLite throws */
export function takeOutTriggers(db: Database.Database): void {
  for (const [side, saved] of [
    ['main', 'backup_objects'],
    ['newer', 'newer_objects'],
  ] as const)
    db.exec(`CREATE TABLE work.${saved}(type, name, tbl_name, sql);
      INSERT INTO work.${saved} SELECT type, name, tbl_name, sql FROM ${side}.sqlite_schema
        WHERE ${withoutPages} ORDER BY rowid`)
  editSchema(db, `DELETE FROM main.sqlite_schema WHERE ${withoutPages}`)
}

/** Puts back the views and triggers of this side. */
export function putTriggersBack(db: Database.Database, of: 'newer' | 'backup'): void {
  editSchema(
    db,
    `INSERT INTO main.sqlite_schema(type, name, tbl_name, rootpage, sql)
      SELECT type, name, tbl_name, 0, sql FROM work.${of}_objects ORDER BY rowid`,
  )
}

/** Gives a table of the result the text that it has on the newer side, with more columns at its end. */
export function setTableText(db: Database.Database, name: string, sql: string): void {
  const text = `'${sql.replaceAll("'", "''")}'`
  const table = `'${name.replaceAll("'", "''")}'`
  editSchema(db, `UPDATE main.sqlite_schema SET sql = ${text} WHERE type = 'table' AND name = ${table}`)
}

/** RESET makes SQLite read the schema anew. */
function editSchema(db: Database.Database, statement: string): void {
  db.exec(`PRAGMA writable_schema=ON; ${statement}; PRAGMA writable_schema=RESET`)
}

interface IndexRow {
  readonly name: string
  readonly table: string
  readonly sql: string
}

function indexesIn(db: Database.Database, side: 'main' | 'newer'): ReadonlyMap<string, IndexRow> {
  const rows = db
    .prepare<[], IndexRow>(
      `SELECT name, tbl_name AS "table", CAST(sql AS TEXT) AS sql FROM ${side}.sqlite_schema
        WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid`,
    )
    .all()
  return new Map(rows.map((row) => [foldedName(row.name), row]))
}

/**
 * Removes the indexes of the result that the newer side has not, or has otherwise. @returns the statements that make
 * those of the newer side, for when all rows are written
 */
export function dropOtherIndexes(db: Database.Database, isMerged: (table: string) => boolean): readonly IndexRow[] {
  const newer = indexesIn(db, 'newer')
  const older = indexesIn(db, 'main')
  for (const [name, index] of older)
    if (isMerged(index.table) && newer.get(name)?.sql !== index.sql) db.exec(`DROP INDEX main.${quoted(index.name)}`)
  return [...newer].flatMap(([name, index]) =>
    isMerged(index.table) && older.get(name)?.sql !== index.sql ? [index] : [],
  )
}

/** @throws {RefusalError} if the rows of both sides together violate a new UNIQUE index, or SQLite refuses the text */
export function createIndexes(db: Database.Database, indexes: readonly IndexRow[]): void {
  for (const { name, table, sql } of indexes) {
    try {
      db.exec(sql)
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error
      throw new RefusalError(
        `the index ${name} of ${table} is newer than the backup and cannot be made: ${error.message}`,
      )
    }
  }
}

/** Numbers that AUTOINCREMENT must not give again: the greater one of both sides. */
export function mergeSequences(db: Database.Database): void {
  const has = (side: 'main' | 'newer'): boolean =>
    db.prepare(`SELECT 1 FROM ${side}.sqlite_schema WHERE name = 'sqlite_sequence'`).get() !== undefined
  if (!has('main') || !has('newer')) return
  db.exec(`UPDATE main.sqlite_sequence AS s SET seq = max(seq,
      coalesce((SELECT max(n.seq) FROM newer.sqlite_sequence n WHERE n.name = s.name), seq));
    INSERT INTO main.sqlite_sequence(name, seq) SELECT name, max(seq) FROM newer.sqlite_sequence n
      WHERE n.name NOT IN (SELECT name FROM main.sqlite_sequence)
        AND n.name IN (SELECT name FROM main.sqlite_schema WHERE type = 'table') GROUP BY name`)
}

/** What an application has in the header. */
export function takeSettings(db: Database.Database): void {
  for (const name of ['user_version', 'application_id']) {
    const value = Number(db.pragma(`newer.${name}`, { simple: true }))
    db.exec(`PRAGMA main.${name} = ${value}`)
  }
}
