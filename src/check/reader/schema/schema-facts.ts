/** Child side: asks SQLite about the schema, for the plan of the census. */
import type Database from 'better-sqlite3'
import type { ColumnFacts, IndexFacts, SchemaFacts, TableFacts } from '../../../census/schema-facts.ts'
import type { ColumnValue } from '../../../sqlite/column-value.ts'
import { ColumnDefaults } from './column-defaults.ts'
import { isVirtual, ordinaryTables, readSchemaRows } from './schema-objects.ts'
import { tokensOf } from './sql-tokens.ts'

interface ColumnRow {
  readonly owner: string
  readonly name: string
  readonly type: string
  readonly value: string | null
  readonly pk: number
  readonly hidden: number
}

interface IndexRow {
  readonly name: string
  readonly owner: string
  readonly unique: number
  readonly origin: string
  readonly partial: number
}

interface PartRow {
  readonly owner: string
  readonly cid: number
  readonly descending: number
  readonly collation: string | null
  readonly key: number
}

/** What the header gives. */
export type SchemaLayout = Pick<SchemaFacts, 'pageSize' | 'usable' | 'pages' | 'encoding'>

interface SchemaRows {
  readonly columns: readonly ColumnRow[]
  readonly indexes: readonly IndexRow[]
  readonly parts: readonly PartRow[]
}

/**
 * One question for each kind of row: SQLite's joins of pragmas take a time that grows with the square of the tables.
 * None uses `pragma table_list`, which expands every view: each of forty nested views doubles the time.
 */
function askSchema(db: Database.Database): SchemaRows {
  const columns = db
    .prepare<[], ColumnRow>(
      'SELECT t.name AS owner, c.name, c.type, c.dflt_value AS value, c.pk, c.hidden FROM ' +
        `(${ordinaryTables}) t, pragma_table_xinfo(t.name, 'main') c ORDER BY c.cid`,
    )
    .all()
  const indexes = db
    .prepare<[], IndexRow>(
      'SELECT t.name AS owner, l.name, l."unique", l.origin, l.partial FROM ' +
        `(${ordinaryTables}) t, pragma_index_list(t.name, 'main') l`,
    )
    .all()
  const parts = db
    .prepare<[], PartRow>(`SELECT l.name AS owner, x.cid, x."desc" AS descending, x.coll AS collation, x.key
      FROM (${ordinaryTables}) t, pragma_index_list(t.name, 'main') l, pragma_index_xinfo(l.name, 'main') x
      ORDER BY x.seqno`)
    .all()
  return { columns, indexes, parts }
}

/** @param rows of the schema @throws what SQLite throws */
export function readSchemaFacts(db: Database.Database, layout: SchemaLayout, rows = readSchemaRows(db)): SchemaFacts {
  const { columns, indexes, parts } = askSchema(db)
  using defaults = new ColumnDefaults(layout.encoding)
  const columnsOf = Map.groupBy(columns, ({ owner }) => owner)
  const partsOf = Map.groupBy(parts, ({ owner }) => owner)
  // The primary key of a table WITHOUT ROWID is the table itself: its entries are the rows, without a rowid.
  const keyed = new Set(
    indexes.flatMap(({ name, owner, origin }) =>
      origin === 'pk' && (partsOf.get(name) ?? []).every(({ cid }) => cid !== -1) ? [owner] : [],
    ),
  )
  const indexRoots = new Map(
    rows.flatMap(({ type, name, rootpage }) => (type === 'index' ? [[name, rootpage ?? 0]] : [])),
  )
  // A damaged schema may have two rows with one name; SQLite then knows one table.
  const tables = new Map(
    rows.flatMap((row) =>
      row.type === 'table' && !isVirtual(row) && columnsOf.has(row.name) ? [[row.name, row]] : [],
    ),
  )
  return {
    ...layout,
    tables: [...tables.values()].map(({ name, rootpage, sql }): TableFacts => {
      const strict = isStrict(sql ?? '')
      return {
        name,
        root: rootpage ?? 0,
        withoutRowid: keyed.has(name),
        columns: (columnsOf.get(name) ?? []).map((column) => columnOf(column, strict, defaults)),
      }
    }),
    indexes: indexes.map(({ name, owner, unique, partial, origin }): IndexFacts => ({
      name,
      table: owner,
      root: keyed.has(owner) && origin === 'pk' ? (tables.get(owner)?.rootpage ?? 0) : (indexRoots.get(name) ?? 0),
      unique: unique === 1,
      partial: partial === 1,
      origin,
      parts: (partsOf.get(name) ?? []).map(({ cid, descending, collation, key }) => ({
        cid,
        descending: descending === 1,
        collation: collation ?? 'BINARY',
        key: key === 1,
      })),
    })),
  }
}

/** True if the statement has the option STRICT. The options of a CREATE TABLE follow its last bracket. */
export function isStrict(sql: string): boolean {
  const tokens = tokensOf(sql)
  const options = tokens.slice(tokens.findLastIndex(({ text }) => text === ')') + 1)
  return options.some(({ text }) => /^strict$/i.test(text))
}

const nothing: ColumnValue = { kind: 'null' }

function columnOf(
  { name, type, value, pk, hidden }: ColumnRow,
  strict: boolean,
  defaults: ColumnDefaults,
): ColumnFacts {
  return { name, type, pk, hidden, absent: value === null ? nothing : defaults.valueOf(type, strict, value) }
}
