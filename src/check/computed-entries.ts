/** Child side: what indexes must hold that SQL must compute: partial indexes, expressions, virtual generated columns. SQLite gives the entries, in the table's order. */
import type Database from 'better-sqlite3'
import type { ColumnValue } from '../census/column-value.ts'
import { columnValue, typed } from './column-value.ts'
import type { Typed } from './column-value.ts'
import { readIndexDefinition } from './index-definition.ts'
import { quote } from './open-database.ts'

interface Part {
  readonly cid: number
  readonly name: string | null
}

/** A statement that yields the entries of an index; a reason where there is none. */
export type Computing = { readonly kind: 'query'; readonly sql: string; readonly parts: number } | { readonly kind: 'not-possible'; readonly why: string }

/** @throws what SQLite throws */
export function computingOf(db: Database.Database, index: string, table: string): Computing {
  const parts = db.prepare<[string], Part>("SELECT cid, name FROM pragma_index_xinfo(?, 'main') ORDER BY seqno").all(index)
  const sql = db.prepare<[string], string | null>("SELECT CAST(sql AS TEXT) FROM sqlite_schema WHERE type = 'index' AND name = ?").pluck().get(index) ?? null
  const definition = sql === null ? { terms: [], where: null } : readIndexDefinition(sql)
  if (definition === null) return { kind: 'not-possible', why: 'its statement could not be taken apart' }
  const columns = new Set(db.prepare<[string], string>("SELECT name FROM pragma_table_xinfo(?, 'main')").pluck().all(table).map((name) => name.toLowerCase()))
  const rowid = ['rowid', '_rowid_', 'oid'].find((name) => !columns.has(name)) ?? null
  const values: string[] = []
  for (const [i, { cid, name }] of parts.entries()) {
    const value = cid === -1 ? rowid : cid === -2 ? (definition.terms[i] ?? null) : name === null ? null : quote(name)
    if (value === null) return { kind: 'not-possible', why: cid === -1 ? 'no name is left for the rowid' : 'a part of its key could not be found' }
    values.push(typed(value.includes('--') ? `(${value}\n)` : `(${value})`))
  }
  const where = definition.where === null ? '' : ` WHERE ${definition.where}\n`
  // For a table WITHOUT ROWID, NOT INDEXED does not keep SQLite from reading the entries from an index that covers them: perhaps from the very one in question.
  const primaryKey = db.prepare<[string, string], string>("SELECT l.name FROM pragma_index_list(?, 'main') l, pragma_table_list(?) t WHERE l.origin = 'pk' AND t.schema = 'main' AND t.wr = 1").pluck().get(table, table)
  const from = primaryKey === undefined ? 'NOT INDEXED' : `INDEXED BY ${quote(primaryKey)}`
  return { kind: 'query', sql: `SELECT ${values.join(', ')} FROM ${quote(table)} ${from}${where}`, parts: parts.length }
}

/** The entries, one at a time. @throws what SQLite throws */
export function* computedEntries(db: Database.Database, computing: Extract<Computing, { kind: 'query' }>): Generator<readonly ColumnValue[]> {
  for (const row of db.prepare<[], Typed[number][]>(computing.sql).raw().safeIntegers().iterate()) {
    const entry: ColumnValue[] = []
    for (let i = 0; i < computing.parts; i++) entry.push(columnValue(String(row[2 * i]), row[2 * i + 1] ?? null))
    yield entry
  }
}
