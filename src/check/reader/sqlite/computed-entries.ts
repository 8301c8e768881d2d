/**
 * Child side: the index entries that only SQL can compute: of partial indexes, expressions, and virtual generated
 * columns. SQLite gives the entries, in the order of the table.
 */
import type Database from 'better-sqlite3'
import type { ColumnValue } from '../../../sqlite/column-value.ts'
import { readIndexDefinition } from '../schema/index-definition.ts'
import { withLiterals } from '../schema/literals.ts'
import { foldedName, onOneLine } from '../schema/sql-tokens.ts'
import { columnValue, typed } from './column-value.ts'
import type { TypedValue } from './column-value.ts'
import { quoteName } from './open-database.ts'

interface Part {
  readonly cid: number
  readonly name: string | null
}

/** A statement that lists the entries that an index must hold; or why there is none. */
export type EntryComputation = ComputingQuery | { readonly kind: 'not-possible'; readonly why: string }

export interface ComputingQuery {
  readonly kind: 'query'
  readonly sql: string
  readonly parts: number
  /** The parts of the entry, as expressions. */
  readonly terms: readonly string[]
  /** The table, for FROM. */
  readonly from: string
  /** Of a partial index: a blank, WHERE and the condition. Otherwise empty. */
  readonly where: string
}

/** @throws what SQLite throws */
export function computationOf(db: Database.Database, index: string, table: string): EntryComputation {
  const parts = db
    .prepare<[string], Part>("SELECT cid, name FROM pragma_index_xinfo(?, 'main') ORDER BY seqno")
    .all(index)
  const sql =
    db
      .prepare<[string], string | null>("SELECT CAST(sql AS TEXT) FROM sqlite_schema WHERE type = 'index' AND name = ?")
      .pluck()
      .get(index) ?? null
  const definition = sql === null ? { terms: [], where: null } : readIndexDefinition(sql)
  if (definition === null) return { kind: 'not-possible', why: 'its statement could not be taken apart' }
  const { columns, rowid, rowidNames, from } = tableNamesOf(db, table)
  const values: string[] = []
  for (const [i, { cid, name }] of parts.entries()) {
    const term = definition.terms[i]
    // A term cannot use the names of the rowid, so only columns stay names in it.
    const value =
      cid === -1
        ? rowid
        : cid === -2
          ? term === undefined
            ? null
            : onOneLine(withLiterals(term, columns))
          : name === null
            ? null
            : quoteName(name)
    if (value === null)
      return {
        kind: 'not-possible',
        why: cid === -1 ? 'no name is left for the rowid' : 'a part of its key could not be found',
      }
    values.push(cid === -2 ? `(${value})` : value)
  }
  const names = new Set([...columns, ...rowidNames])
  const where = definition.where === null ? '' : ` WHERE (${onOneLine(withLiterals(definition.where, names))})`
  const computed = `SELECT ${values.map(typed).join(', ')} FROM ${from}${where}`
  return { kind: 'query', sql: computed, parts: parts.length, terms: values, from, where }
}

export interface TableNames {
  /** Folded names. */
  readonly columns: ReadonlySet<string>
  /** The expression for the rowid; null if the table has none, or columns have taken its names. */
  readonly rowid: string | null
  /** Names of the rowid that no column has taken. */
  readonly rowidNames: ReadonlySet<string>
  /** Columns of the primary key of a table WITHOUT ROWID; empty for other tables. */
  readonly key: readonly string[]
  /** The table, for FROM. */
  readonly from: string
}

/** How a statement names a table, its rows and their columns. @throws what SQLite throws */
export function tableNamesOf(db: Database.Database, table: string): TableNames {
  const described = db
    .prepare<[string], { readonly name: string; readonly type: string; readonly pk: number }>(
      "SELECT name, type, pk FROM pragma_table_xinfo(?, 'main')",
    )
    .all(table)
  const columns = new Set(described.map(({ name }) => foldedName(name)))
  const key = keyIndexOf(db, table)
  if (key?.holdsRows === true) {
    // For a table WITHOUT ROWID, SQLite may read a covering index in spite of NOT INDEXED: perhaps the one in question.
    const primary = described
      .filter(({ pk }) => pk > 0)
      .toSorted((a, b) => a.pk - b.pk)
      .map(({ name }) => name)
    return {
      columns,
      rowid: null,
      rowidNames: new Set(),
      key: primary,
      from: `${quoteName(table)} INDEXED BY ${quoteName(key.name)}`,
    }
  }
  const rowidNames = new Set(['rowid', '_rowid_', 'oid'].filter((name) => !columns.has(name)))
  const [alias, another] = key === undefined ? described.filter(({ pk }) => pk > 0) : []
  const [
    free = alias !== undefined && another === undefined && /^integer$/i.test(alias.type) ? quoteName(alias.name) : null,
  ] = rowidNames
  return { columns, rowid: free, rowidNames, key: [], from: `${quoteName(table)} NOT INDEXED` }
}

/** The expressions that name a row: its rowid, or the columns of its primary key. Empty if columns have taken them. */
export const rowNames = ({ key, rowid }: TableNames): readonly string[] =>
  key.length > 0 ? key.map((name) => quoteName(name)) : rowid === null ? [] : [rowid]

/** The index of the primary key. `holdsRows`: it is the table WITHOUT ROWID itself; its entries have no rowid. */
const keyIndexOf = (
  db: Database.Database,
  table: string,
): { readonly name: string; readonly holdsRows: boolean } | undefined => {
  const row = db
    .prepare<
      [string],
      { readonly name: string; readonly rowids: number }
    >(`SELECT l.name, (SELECT count(*) FROM pragma_index_xinfo(l.name, 'main') WHERE cid = -1) AS rowids
    FROM pragma_index_list(?, 'main') l WHERE l.origin = 'pk'`)
    .get(table)
  return row && { name: row.name, holdsRows: row.rowids === 0 }
}

/** Yields the entries one at a time. @throws what SQLite throws */
export function* computedEntries(db: Database.Database, computing: ComputingQuery): Generator<readonly ColumnValue[]> {
  for (const row of db.prepare<[], TypedValue[number][]>(computing.sql).raw().safeIntegers().iterate()) {
    const entry: ColumnValue[] = []
    for (let i = 0; i < computing.parts; i++) entry.push(columnValue(String(row[2 * i]), row[2 * i + 1] ?? null))
    yield entry
  }
}
