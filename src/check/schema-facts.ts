/** Child side: what SQLite says of the schema, for the plan of the census. */
import Database from 'better-sqlite3'
import type { ColumnValue } from '../census/column-value.ts'
import type { ColumnFacts, IndexFacts, SchemaFacts, TableFacts } from '../census/schema-facts.ts'
import { OldRows } from './old-rows.ts'

interface TableRow {
  readonly name: string
  readonly root: number
  readonly wr: number
  readonly strict: number
}

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
  readonly root: number | null
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

/** In a damaged schema any value may be of any type. */
const ordinary = "SELECT coalesce(CAST(name AS TEXT), '') AS name, CAST(rootpage AS INTEGER) AS rootpage FROM sqlite_schema WHERE type = 'table' AND CAST(rootpage AS INTEGER) > 0"
const indexes = `SELECT t.name AS owner, t.rootpage, l.name, l."unique", l.origin, l.partial FROM (${ordinary}) t, pragma_index_list(t.name, 'main') l`

/** What the header says. */
export type SchemaLayout = Pick<SchemaFacts, 'pageSize' | 'usable' | 'pages' | 'encoding'>

/** @throws what SQLite throws */
export function readSchemaFacts(db: Database.Database, layout: SchemaLayout): SchemaFacts {
  const tables = db.prepare<[], TableRow>(`SELECT t.name, t.rootpage AS root, l.wr, l.strict FROM (${ordinary}) t JOIN pragma_table_list l ON l.name = t.name AND l.schema = 'main'`).all()
  const columns = db.prepare<[], ColumnRow>(`SELECT t.name AS owner, c.name, c.type, c.dflt_value AS value, c.pk, c.hidden FROM (${ordinary}) t, pragma_table_xinfo(t.name, 'main') c ORDER BY t.name, c.cid`).all()
  // The primary key index of a table WITHOUT ROWID is not in the schema: its tree is the table's.
  const indexRows = db.prepare<[], IndexRow>(`SELECT i.name, i.owner, i."unique", i.origin, i.partial, coalesce(CAST(s.rootpage AS INTEGER), i.rootpage) AS root
    FROM (${indexes}) i LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = i.name`).all()
  const parts = db.prepare<[], PartRow>(`SELECT i.name AS owner, x.cid, x."desc" AS descending, x.coll AS collation, x.key
    FROM (${indexes}) i, pragma_index_xinfo(i.name, 'main') x ORDER BY i.name, x.seqno`).all()
  using oldRows = new OldRows(layout.encoding)
  const columnsOf = Map.groupBy(columns, ({ owner }) => owner)
  const partsOf = Map.groupBy(parts, ({ owner }) => owner)
  return {
    ...layout,
    tables: tables.map((table): TableFacts => ({
      name: table.name, root: table.root, withoutRowid: table.wr === 1,
      columns: (columnsOf.get(table.name) ?? []).map((column) => columnOf(column, table.strict === 1, oldRows)),
    })),
    indexes: indexRows.map((index): IndexFacts => ({
      name: index.name, table: index.owner, root: index.root ?? 0, unique: index.unique === 1, partial: index.partial === 1, origin: index.origin,
      parts: (partsOf.get(index.name) ?? []).map(({ cid, descending, collation, key }) => ({ cid, descending: descending === 1, collation: collation ?? 'BINARY', key: key === 1 })),
    })),
  }
}

const nothing: ColumnValue = { kind: 'null' }

function columnOf({ name, type, value, pk, hidden }: ColumnRow, strict: boolean, oldRows: OldRows): ColumnFacts {
  return { name, type, pk, hidden, absent: value === null ? nothing : oldRows.valueOf(type, strict, value) }
}
