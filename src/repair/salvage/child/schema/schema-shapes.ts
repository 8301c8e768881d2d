/** Child side: what SQLite says of the statements of the schema, read in a scratch database that has no rows. */
import Database from 'better-sqlite3'
import { planCensus } from '../../../../census/plan-census.ts'
import type { IndexPlan, KeyedTablePlan, RowidTablePlan } from '../../../../census/plan.ts'
import { readSchemaFacts } from '../../../../check/reader/schema/schema-facts.ts'
import type { SchemaRow } from '../../../../check/reader/schema/schema-objects.ts'
import { judgeRows } from '../../../../check/reader/schema/schema-refusals.ts'
import { foldedName } from '../../../../check/reader/schema/sql-tokens.ts'
import type { LostObject } from '../../salvage-result.ts'
import type { DamagedFile } from '../read/damaged-file.ts'
import { affinityOfType, type ShapeColumn, type TreeShape } from '../read/shape.ts'
import type { SchemaStatement } from './schema-rows.ts'
import { textEncodingOf } from './sqlite-text.ts'

export interface SchemaShapes {
  /** Statements that the new file gets, in the order of the schema. */
  readonly statements: readonly SchemaStatement[]
  /** Objects with a b-tree. Their ids begin with 1: 0 is the schema itself. */
  readonly shapes: ReadonlyMap<SchemaStatement, TreeShape>
  readonly lost: readonly LostObject[]
}

/** The tree of sqlite_schema. */
export function schemaShape(encoding: number): TreeShape {
  const column = (name: string, cid: number): ShapeColumn => ({
    name,
    cid,
    affinity: name === 'rootpage' ? 'INTEGER' : 'TEXT',
    strict: null,
    notNull: false,
    absent: { kind: 'null' },
  })
  return {
    id: 0,
    kind: 'rowid-table',
    name: 'sqlite_schema',
    table: 'sqlite_schema',
    root: 1,
    rootOfBackup: false,
    columns: ['type', 'name', 'tbl_name', 'rootpage', 'sql'].map(column),
    alias: -1,
    key: [],
    ordered: true,
    encoding: textEncodingOf(encoding),
    columnsMax: 5,
    plan: null,
  }
}

export function readShapes(found: readonly SchemaStatement[], file: DamagedFile): SchemaShapes {
  const lost: LostObject[] = []
  const taken = acceptedBySqlite(found, lost)
  const scratch = new Database(':memory:')
  try {
    return shapesIn(scratch, taken, file, lost)
  } finally {
    scratch.close()
  }
}

function shapesIn(
  scratch: Database.Database,
  taken: readonly SchemaStatement[],
  file: DamagedFile,
  lost: LostObject[],
): SchemaShapes {
  const rooted = taken.filter(isRooted)
  const rows = rooted.map((statement, i): SchemaRow => ({
    type: statement.type,
    name: statement.name,
    tbl_name: statement.table,
    rootpage: i + 2,
    sql: statement.sql,
  }))
  fillScratch(scratch, rows)
  const facts = readSchemaFacts(
    scratch,
    { pageSize: file.layout.pageSize, usable: file.layout.usable, pages: file.pages, encoding: file.encoding },
    rows,
  )
  const { plan } = planCensus(facts)
  const byName = new Map(rooted.map((statement) => [foldedName(statement.name), statement]))
  const added = facts.indexes.flatMap(({ name, table, origin }): readonly SchemaStatement[] =>
    byName.has(foldedName(name)) || (origin === 'pk' && facts.tables.some((t) => t.name === table && t.withoutRowid))
      ? []
      : [{ type: 'index', name, table, root: 0, sql: null }],
  )
  for (const statement of added) byName.set(foldedName(statement.name), statement)
  const shapes = new Map<SchemaStatement, TreeShape>()
  for (const tree of plan.trees) {
    const statement = byName.get(foldedName(tree.object.name))
    if (statement === undefined) continue
    const shape = shapeOf(scratch, tree, statement, shapes.size + 1, file)
    if (shape !== null) shapes.set(statement, shape)
  }
  const statements = withIndexes(taken, added).filter((statement) => {
    const isKept = !isRooted(statement) || shapes.has(statement)
    if (!isKept) lost.push({ kind: kindOf(statement), name: statement.name, why: 'SQLite does not describe it' })
    return isKept
  })
  return { statements, shapes, lost }
}

/** A virtual table, a view or a trigger has no b-tree. */
export const isRooted = ({ type, sql }: SchemaStatement): boolean =>
  type === 'index' || (type === 'table' && !/^\s*create\s+virtual\b/i.test(sql ?? ''))

export const kindOf = (statement: SchemaStatement): LostObject['kind'] =>
  statement.type === 'index' || statement.type === 'view' || statement.type === 'trigger'
    ? statement.type
    : isRooted(statement)
      ? 'table'
      : 'virtual-table'

/** Statements that SQLite can read, each name once. */
function acceptedBySqlite(found: readonly SchemaStatement[], lost: LostObject[]): readonly SchemaStatement[] {
  const refused = refusedStatements(found)
  return found.filter((statement) => {
    const why = refused.get(statement)
    if (why !== undefined) lost.push({ kind: kindOf(statement), name: statement.name, why })
    return why === undefined
  })
}

/** Statements that SQLite cannot read, or whose names others have, with the reason. */
export function refusedStatements(found: readonly SchemaStatement[]): ReadonlyMap<SchemaStatement, string> {
  const rows = found.map((statement, i): SchemaRow => ({
    type: statement.type,
    name: statement.name,
    tbl_name: statement.table,
    rootpage: isRooted(statement) ? i + 2 : 0,
    sql: statement.sql,
  }))
  const judged = judgeRows(rows, Infinity)
  const names = new Set<string>()
  const refused = new Map<SchemaStatement, string>()
  for (const statement of found) {
    const { name } = statement
    const again = names.has(foldedName(name))
    const refusal = judged?.refusals.find((one) => one.kind === 'refused' && one.name === name)
    if (!again && judged !== null && !judged.refused.has(name)) names.add(foldedName(name))
    else if (again) refused.set(statement, 'the schema has another object of this name')
    else if (judged === null) refused.set(statement, 'the schema has too many rows')
    else refused.set(statement, `SQLite does not take its statement: ${refusal?.why ?? 'its table cannot be read'}`)
  }
  return refused
}

function fillScratch(scratch: Database.Database, rows: readonly SchemaRow[]): void {
  scratch.unsafeMode(true)
  // Makes pages that can be roots.
  scratch.exec(
    `CREATE TABLE filler(a); INSERT INTO filler VALUES(zeroblob(${4096 * (rows.length + 10)})); DROP TABLE filler`,
  )
  scratch.pragma('writable_schema=ON')
  const insert = scratch.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)')
  scratch.transaction(() => {
    for (const { type, name, tbl_name, rootpage, sql } of rows) insert.run(type, name, tbl_name, rootpage, sql)
  })()
  scratch.pragma('writable_schema=RESET')
}

/** The rows of indexes that the schema lost follow their table: SQLite must know the table first. */
function withIndexes(
  statements: readonly SchemaStatement[],
  added: readonly SchemaStatement[],
): readonly SchemaStatement[] {
  return statements.flatMap((statement) =>
    statement.type === 'table'
      ? [statement, ...added.filter(({ table }) => foldedName(table) === foldedName(statement.name))]
      : [statement],
  )
}

interface ColumnRow {
  readonly cid: number
  readonly name: string
  readonly type: string
  readonly notnull: number
}

function shapeOf(
  scratch: Database.Database,
  tree: RowidTablePlan | KeyedTablePlan | IndexPlan,
  statement: SchemaStatement,
  id: number,
  file: DamagedFile,
): TreeShape | null {
  const encoding = textEncodingOf(file.encoding)
  const { name, root, rootOfBackup = false } = statement
  const common = { id, name, root, rootOfBackup, encoding }
  if (tree.kind === 'index') {
    if (tree.parts.length === 0) return null
    const { parts, ordered } = tree
    const of = { table: statement.table, columns: [], alias: -1, key: parts, ordered, plan: tree }
    return { ...common, ...of, kind: 'index', columnsMax: parts.length }
  }
  const columns = columnsOf(scratch, tree)
  const of = { table: statement.name, columns, columnsMax: columns.length, plan: null }
  return tree.kind === 'rowid-table'
    ? { ...common, ...of, kind: 'rowid-table', alias: tree.rowidAlias, key: [], ordered: true }
    : { ...common, ...of, kind: 'keyed-table', alias: -1, key: tree.key, ordered: tree.ordered }
}

function columnsOf(scratch: Database.Database, tree: RowidTablePlan | KeyedTablePlan): readonly ShapeColumn[] {
  const { name } = tree.object
  const isStrict =
    scratch.prepare("SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?").pluck().get(name) === 1
  const rows = new Map(
    scratch
      .prepare<[string], ColumnRow>('SELECT cid, name, type, "notnull" FROM pragma_table_xinfo(?, \'main\')')
      .all(name)
      .map((row) => [row.name, row]),
  )
  return tree.columns.map((column) => {
    const { cid = -1, type = '', notnull = 0 } = rows.get(column.name) ?? {}
    return {
      name: column.name,
      cid,
      affinity: affinityOfType(type, isStrict),
      strict: isStrict ? type.toUpperCase() : null,
      notNull: notnull === 1,
      absent: column.absent,
    }
  })
}
