/** Child side: the tables of one side, as SQLite describes them. */

import type Database from 'better-sqlite3'
import { affinityOf } from '../../../check/reader/schema/column-defaults.ts'
import { foldedName, tokensOf } from '../../../check/reader/schema/sql-tokens.ts'
import { moduleOf } from '../../../check/reader/schema/virtual-table-module.ts'

/** Names of the attached databases. `main`: the result, at first a copy of the backup. `newer`: the salvaged file. */
export type Side = 'main' | 'newer'

/** `DEFAULT` and types as SQLite gives them. */
export interface SideColumn {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly defaultSql: string | null
  /** 0 for a stored column; 1 for a hidden one of a virtual table; 2 and 3 for generated ones. */
  readonly hidden: number
}

interface SideKeyPart {
  readonly name: string
  readonly collation: string
  readonly descending: boolean
  readonly affinity: string
}

export interface SideTable {
  readonly name: string
  readonly sql: string
  readonly columns: readonly SideColumn[]
  /** Of a table WITHOUT ROWID; empty if rows have rowids. */
  readonly key: readonly SideKeyPart[]
  /** Quoted; null if there is none, or columns have taken its names. */
  readonly rowid: string | null
  /** True if a column is the rowid. */
  readonly hasAlias: boolean
  /** True if VACUUM keeps the rowids: a column is the rowid, or the table has an index. */
  readonly keepsRowids: boolean
  /** Module of a virtual table. */
  readonly module: string | null
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

interface SchemaRowOfSide {
  readonly name: string
  readonly sql: string
}

/** All tables by folded name, without those of SQLite itself. @throws what SQLite throws */
export function tablesIn(db: Database.Database, side: Side): ReadonlyMap<string, SideTable> {
  const rows = db
    .prepare<[], SchemaRowOfSide>(`SELECT name, CAST(sql AS TEXT) AS sql FROM ${side}.sqlite_schema
      WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid`)
    .all()
  return new Map(rows.map((row) => [foldedName(row.name), describeTable(db, side, row)]))
}

/** The newer side: its own tables, and those that the salvage has made of rows that fit no table. */
export function newerTables(db: Database.Database): {
  readonly own: ReadonlyMap<string, SideTable>
  readonly unowned: readonly SideTable[]
} {
  const made = new Map(
    db
      .prepare<[], { readonly name: string; readonly owner: string }>(
        'SELECT m.name, t.name AS owner FROM facts.made m JOIN facts.tables t ON t.id = m.table_id',
      )
      .all()
      .map(({ name, owner }) => [foldedName(name), foldedName(owner)]),
  )
  const all = [...tablesIn(db, 'newer')]
  return {
    own: new Map(all.filter(([name]) => !made.has(name))),
    unowned: all.flatMap(([name, table]) => (made.get(name) === name ? [table] : [])),
  }
}

function describeTable(db: Database.Database, side: Side, { name, sql }: SchemaRowOfSide): SideTable {
  const module = moduleOf(sql)
  const described = columnsOf(db, side, name)
  const indexes = db
    .prepare<[string, string], { readonly name: string; readonly origin: string }>(
      'SELECT name, origin FROM pragma_index_list(?, ?)',
    )
    .all(name, side)
  const primary = indexes.find(({ origin }) => origin === 'pk')
  const strict = isStrict(sql)
  const key = primary === undefined ? [] : keyOf(db, side, primary.name, described, strict)
  const pk = described.filter((column) => column.pk > 0)
  const alias =
    module !== null && /^rtree/i.test(module)
      ? described[0]
      : primary === undefined && pk.length === 1 && /^integer$/i.test(pk[0]?.type ?? '')
        ? pk[0]
        : undefined
  const taken = new Set(described.map((column) => foldedName(column.name)))
  const free = ['rowid', '_rowid_', 'oid'].find((one) => !taken.has(one)) ?? null
  return {
    name,
    sql,
    columns: described,
    key,
    rowid: key.length > 0 ? null : alias === undefined ? free : quoted(alias.name),
    hasAlias: alias !== undefined,
    keepsRowids: alias !== undefined || indexes.length > 0 || module !== null,
    module,
  }
}

function columnsOf(
  db: Database.Database,
  side: Side,
  table: string,
): readonly (SideColumn & { readonly pk: number })[] {
  return db
    .prepare<
      [string, string],
      { name: string; type: string; notnull: number; dflt_value: string | null; pk: number; hidden: number }
    >('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?, ?)')
    .all(table, side)
    .map(({ name, type, notnull, dflt_value, pk, hidden }) => ({
      name,
      type,
      notNull: notnull !== 0,
      defaultSql: dflt_value,
      pk,
      hidden,
    }))
}

/** Empty if the index of the primary key is not the table itself: its entries have rowids then. */
function keyOf(
  db: Database.Database,
  side: Side,
  index: string,
  columns: readonly SideColumn[],
  strict: boolean,
): readonly SideKeyPart[] {
  const parts = db
    .prepare<
      [string, string],
      {
        readonly cid: number
        readonly name: string
        readonly coll: string
        readonly desc: number
        readonly key: number
      }
    >('SELECT cid, name, coll, "desc", key FROM pragma_index_xinfo(?, ?) ORDER BY seqno')
    .all(index, side)
  if (parts.some(({ cid }) => cid === -1)) return []
  return parts
    .filter(({ key }) => key === 1)
    .map(({ cid, name, coll, desc }) => ({
      name,
      collation: coll,
      descending: desc !== 0,
      affinity: affinityOf(columns[cid]?.type ?? '', strict),
    }))
}

const isStrict = (sql: string): boolean => {
  const tokens = tokensOf(sql).map(({ text }) => text)
  return tokens.slice(tokens.lastIndexOf(')')).some((text) => /^strict$/i.test(text))
}

/** Columns that hold values of their own. */
export const storedColumns = ({ columns }: SideTable): readonly string[] =>
  columns.filter(({ hidden }) => hidden === 0).map(({ name }) => name)
