/** Child side: the objects of the schema, as SQLite knows them. */
import type Database from 'better-sqlite3'
import type { SchemaObject } from '../model/reading.ts'
import type { Skipped } from '../model/verdict.ts'
import type { SchemaRow as RowOnPage } from '../sqlite/accounting/schema-rows.ts'
import { moduleOf } from './virtual-table-module.ts'

/** A row of sqlite_schema. */
export interface SchemaRow {
  readonly type: string
  readonly name: string
  readonly tbl_name: string
  readonly rootpage: number | null
  readonly sql: string | null
}

export interface ListedTable {
  readonly name: string
  readonly type: 'table' | 'view' | 'shadow' | 'virtual'
  readonly wr: number
}

/** In a damaged schema any value may be of any type. */
const schemaRows = `SELECT ${['type', 'name', 'tbl_name'].map((column) => `coalesce(CAST(${column} AS TEXT), '') AS ${column}`).join(', ')}, CAST(rootpage AS INTEGER) AS rootpage, CAST(sql AS TEXT) AS sql
  FROM sqlite_schema`

/** What SQLite knows beyond the rows of the schema. */
export interface ObjectsSaid {
  /** Tables by name. */
  readonly listed: ReadonlyMap<string, ListedTable>
  /** In small letters. */
  readonly modules: ReadonlySet<string>
}

/** Reads the schema; throws what SQLite throws. The schema's own table, whose root is page 1, is not among the objects. */
export const readObjects = (db: Database.Database): ReturnType<typeof objectsOf> => objectsOf(readSchemaRows(db), askAboutObjects(db))

/** @throws what SQLite throws */
export const readSchemaRows = (db: Database.Database): readonly SchemaRow[] => db.prepare<[], SchemaRow>(schemaRows).all()

/** @throws what SQLite throws */
export function askAboutObjects(db: Database.Database): ObjectsSaid {
  return {
    listed: new Map(db.prepare<[], ListedTable>("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'").all().map((table) => [table.name, table])),
    modules: new Set(db.prepare<[], string>('SELECT name FROM pragma_module_list').pluck().all().map((name) => name.toLowerCase())),
  }
}

export function objectsOf(rows: readonly SchemaRow[], { listed, modules }: ObjectsSaid): { readonly objects: readonly SchemaObject[]; readonly skipped: readonly Skipped[] } {
  const virtual = rows.filter(isVirtual).map((row) => row.name)
  const objects = rows.map((row) => objectOf(row, listed.get(row.name), virtual))
  // SQLite passes over a virtual table without its module in silence.
  const skipped = objects.filter((object) => object.module !== null && !modules.has(object.module.toLowerCase()))
    .map((object): Skipped => ({ object: object.name, why: `module ${object.module} is not part of this SQLite` }))
  return { objects, skipped }
}

export const isVirtual = (row: SchemaRow): boolean => row.type === 'table' && (row.rootpage ?? 0) === 0

function objectOf(row: SchemaRow, listed: ListedTable | undefined, virtual: readonly string[]): SchemaObject {
  return {
    kind: isVirtual(row) ? 'virtual-table' : kindOf(row.type),
    name: row.name,
    table: row.tbl_name,
    root: row.rootpage ?? 0,
    withoutRowid: listed?.wr === 1,
    module: isVirtual(row) ? moduleOf(row.sql ?? '') : null,
    shadowOf: listed?.type === 'shadow' ? ownerOfShadow(row.name, virtual) : null,
  }
}

function kindOf(type: string): SchemaObject['kind'] {
  return type === 'index' || type === 'view' || type === 'trigger' ? type : 'table'
}

/** A shadow table is called after its virtual table, an underscore and its part. */
function ownerOfShadow(name: string, virtual: readonly string[]): string | null {
  const lower = name.toLowerCase()
  const owners = virtual.filter((owner) => lower.startsWith(`${owner.toLowerCase()}_`)).toSorted((a, b) => b.length - a.length)
  return owners[0] ?? null
}

/** Objects as the pages of the schema have them, for files whose schema SQLite refuses. */
export const objectsFromPages = (rows: readonly RowOnPage[]): readonly SchemaObject[] => rows.map((row) => ({
  kind: row.type === 'table' && row.root === 0 ? 'virtual-table' : kindOf(row.type), name: row.name, table: row.table, root: row.root, withoutRowid: false, module: null, shadowOf: null,
}))
