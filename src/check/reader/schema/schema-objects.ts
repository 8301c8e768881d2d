/** Child side: the objects of the schema, as SQLite knows them. */
import type Database from 'better-sqlite3'
import type { SchemaObject } from '../../../model/result/reading.ts'
import type { SkippedObject } from '../../../model/result/verdict.ts'
import type { SchemaPageRow } from '../../../sqlite/accounting/schema-rows.ts'
import { foldedName } from './sql-tokens.ts'
import { contentOption, isShadow, moduleOf } from './virtual-table-module.ts'

/** A row of sqlite_schema. */
export interface SchemaRow {
  readonly type: string
  readonly name: string
  readonly tbl_name: string
  readonly rootpage: number | null
  readonly sql: string | null
}

const asText = (column: string): string => `coalesce(CAST(${column} AS TEXT), '') AS ${column}`

/** With casts: in a damaged schema any value may have any type. */
const schemaRows =
  `SELECT ${['type', 'name', 'tbl_name'].map(asText).join(', ')}, ` +
  'CAST(rootpage AS INTEGER) AS rootpage, CAST(sql AS TEXT) AS sql FROM sqlite_schema'

/** The tables that have a b-tree, by name and root page. */
export const ordinaryTables =
  `SELECT ${asText('name')}, CAST(rootpage AS INTEGER) AS rootpage ` +
  "FROM sqlite_schema WHERE type = 'table' AND CAST(rootpage AS INTEGER) > 0"

/** The objects of the schema, without its own table, whose root is page 1. @throws what SQLite throws */
export const readObjects = (db: Database.Database): ReturnType<typeof objectsOf> =>
  objectsOf(readSchemaRows(db), knownModules(db))

/** @throws what SQLite throws */
export const readSchemaRows = (db: Database.Database): readonly SchemaRow[] =>
  db.prepare<[], SchemaRow>(schemaRows).all()

/** Modules that this SQLite has, in lower case. @throws what SQLite throws */
export const knownModules = (db: Database.Database): ReadonlySet<string> =>
  new Set(
    db
      .prepare<[], string>('SELECT name FROM pragma_module_list')
      .pluck()
      .all()
      .map((name) => name.toLowerCase()),
  )

export function objectsOf(
  rows: readonly SchemaRow[],
  modules: ReadonlySet<string>,
): { readonly objects: readonly SchemaObject[]; readonly skipped: readonly SkippedObject[] } {
  const virtual = new Map(
    rows.filter(isVirtual).map((row) => [foldedName(row.name), { name: row.name, module: moduleOf(row.sql ?? '') }]),
  )
  const names = new Map(rows.map(({ name }) => [foldedName(name), name]))
  const objects = rows.map((row) => ({ ...objectOf(row, virtual), textFrom: textOf(row, virtual, names) }))
  // SQLite silently leaves out a virtual table whose module it does not have.
  const skipped = objects
    .filter((object) => object.module !== null && !modules.has(object.module.toLowerCase()))
    .map((object): SkippedObject => ({
      object: object.name,
      why: `module ${object.module} is not part of this SQLite`,
    }))
  return { objects, skipped }
}

export const isVirtual = (row: SchemaRow): boolean => row.type === 'table' && (row.rootpage ?? 0) === 0

interface VirtualTable {
  readonly name: string
  readonly module: string | null
}

function objectOf(row: SchemaRow, virtual: ReadonlyMap<string, VirtualTable>): Omit<SchemaObject, 'textFrom'> {
  return {
    kind: isVirtual(row) ? 'virtual-table' : kindOf(row.type),
    name: row.name,
    table: row.tbl_name,
    root: row.rootpage ?? 0,
    module: isVirtual(row) ? (virtual.get(foldedName(row.name))?.module ?? null) : null,
    shadowOf: row.type === 'table' && !isVirtual(row) ? ownerOfShadow(row.name, virtual) : null,
  }
}

/** A full-text index stores its text itself, in a table of its own, or another table or view has it. */
function textOf(
  row: SchemaRow,
  virtual: ReadonlyMap<string, VirtualTable>,
  names: ReadonlyMap<string, string>,
): string | null {
  if (!isVirtual(row) || !/^fts[345]$/i.test(virtual.get(foldedName(row.name))?.module ?? '')) return null
  const own = names.get(foldedName(`${row.name}_content`))
  if (own !== undefined && ownerOfShadow(own, virtual) === row.name) return own
  return names.get(foldedName(contentOption(row.sql ?? '') ?? '')) ?? null
}

function kindOf(type: string): SchemaObject['kind'] {
  return type === 'index' || type === 'view' || type === 'trigger' ? type : 'table'
}

/** The name of a shadow table is that of its virtual table, an underscore, and its part. */
function ownerOfShadow(name: string, virtual: ReadonlyMap<string, VirtualTable>): string | null {
  const underscore = name.lastIndexOf('_')
  const owner = underscore < 0 ? undefined : virtual.get(foldedName(name.slice(0, underscore)))
  return owner !== undefined && isShadow(owner.module, name.slice(underscore + 1)) ? owner.name : null
}

/** Objects as the pages of the schema name them, for files whose schema SQLite refuses. */
export const objectsFromPages = (rows: readonly SchemaPageRow[]): readonly SchemaObject[] =>
  rows.map((row) => ({
    kind: row.type === 'table' && row.root === 0 ? 'virtual-table' : kindOf(row.type),
    name: row.name,
    table: row.table,
    root: row.root,
    module: null,
    shadowOf: null,
    textFrom: null,
  }))
