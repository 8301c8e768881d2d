/** Makes the plan of a census from what SQLite says of the schema. */

import type { SkippedObject } from '../model/result/verdict.ts'
import { fromRowid, fromSql } from './plan.ts'
import type {
  CensusPlan,
  Collation,
  IndexPlan,
  KeyedTablePlan,
  KeyPart,
  RowidTablePlan,
  Source,
  StoredColumn,
  TextEncoding,
  TreePlan,
} from './plan.ts'
import type { ColumnFacts, IndexFacts, SchemaFacts, TableFacts } from './schema-facts.ts'

interface PlanResult {
  readonly plan: CensusPlan
  /** Objects that are not counted, or whose order is not checked, with the reason. */
  readonly skipped: readonly SkippedObject[]
}

/** Makes the plan. A tree is either in the plan or in `skipped`. */
export function planCensus(facts: SchemaFacts): PlanResult {
  const { pageSize, usable, pages } = facts
  const encoding: TextEncoding = facts.encoding === 2 || facts.encoding === 3 ? facts.encoding : 1
  const primaryKeys = new Map(
    facts.indexes.filter(({ origin }) => origin === 'pk').map((index) => [index.table, index]),
  )
  const skipped: SkippedObject[] = []
  const trees: TreePlan[] = [schemaTable]
  const tables = planTables(facts.tables, primaryKeys, trees, skipped)
  planIndexes(facts.indexes, tables, primaryKeys, trees, skipped)
  return { plan: { pageSize, usable, pages, encoding, buckets: bucketsFor(trees.length, pages), trees }, skipped }
}

/** A table that is in the plan. */
interface TableInPlan {
  readonly facts: TableFacts
  /** Position in the plan. */
  readonly at: number
  /** Positions in table_xinfo of its columns, in storage order. */
  readonly stored: readonly number[]
}

/** Adds the tables to `trees`. */
function planTables(
  tables: readonly TableFacts[],
  primaryKeys: ReadonlyMap<string, IndexFacts>,
  trees: TreePlan[],
  skipped: SkippedObject[],
): ReadonlyMap<string, TableInPlan> {
  const planned = new Map<string, TableInPlan>()
  for (const facts of tables) {
    const primaryKey = primaryKeys.get(facts.name)
    if (facts.withoutRowid && primaryKey === undefined) {
      skipped.push({ object: facts.name, why: 'SQLite does not name its primary key' })
      continue
    }
    const key = facts.withoutRowid ? primaryKey : undefined
    const stored = key === undefined ? storedColumns(facts) : key.parts.map(({ cid }) => cid)
    planned.set(facts.name, { facts, at: trees.length, stored })
    trees.push(
      key === undefined
        ? planRowidTable(facts, stored, primaryKey === undefined)
        : planKeyedTable(facts, key, stored, skipped),
    )
  }
  return planned
}

/** Adds the indexes to `trees`, and the plain ones to their tables. */
function planIndexes(
  indexes: readonly IndexFacts[],
  tables: ReadonlyMap<string, TableInPlan>,
  primaryKeys: ReadonlyMap<string, IndexFacts>,
  trees: TreePlan[],
  skipped: SkippedObject[],
): void {
  for (const facts of indexes) {
    const table = tables.get(facts.table)
    const owner = table === undefined ? undefined : trees[table.at]
    if (table?.facts.withoutRowid === true && facts.origin === 'pk') continue
    if (table === undefined || owner === undefined) {
      skipped.push({ object: facts.name, why: 'its table is not counted' })
      continue
    }
    const index = planIndex(facts, table, owner, primaryKeys.get(facts.table))
    if (!index.ordered) skipped.push({ object: facts.name, why: `its order: ${collationsUnknown(facts)}` })
    if (index.entries === 'plain' && owner.kind !== 'index')
      trees[table.at] = { ...owner, indexes: [...owner.indexes, trees.length] }
    trees.push(index)
  }
}

/**
 * Number of buckets of an index. Many buckets make the difference search short, but each takes 12 bytes. The buckets of
 * a few indexes must fit into the processor cache, and those of thousands into memory. A small file needs few.
 */
function bucketsFor(trees: number, pages: number): number {
  let buckets = 16
  while (buckets < 1024 && buckets * 2 * trees <= 1 << 19 && buckets * 8 <= pages) buckets *= 2
  return buckets
}

const columnNamed = (name: string): StoredColumn => ({ name, absent: { kind: 'null' } })

const schemaTable: RowidTablePlan = {
  kind: 'rowid-table',
  root: 1,
  object: { kind: 'schema', name: 'sqlite_schema', table: null },
  columns: ['type', 'name', 'tbl_name', 'rootpage', 'sql'].map(columnNamed),
  rowidAlias: -1,
  indexes: [],
}

/** Positions in table_xinfo of the stored columns: all but the virtual generated ones. */
const storedColumns = (table: TableFacts): readonly number[] =>
  table.columns.flatMap(({ hidden }, cid) => (hidden === 2 ? [] : [cid]))

function planRowidTable(table: TableFacts, stored: readonly number[], withoutKeyIndex: boolean): RowidTablePlan {
  return {
    kind: 'rowid-table',
    root: table.root,
    object: { kind: 'table', name: table.name, table: table.name },
    columns: stored.map((cid) => planColumn(table.columns[cid])),
    rowidAlias: withoutKeyIndex ? stored.indexOf(rowidAlias(table)) : -1,
    indexes: [],
  }
}

/**
 * Position of the INTEGER PRIMARY KEY, which is the rowid itself; -2 if there is none. It is the only column of the
 * key, and has exactly that type.
 */
function rowidAlias(table: TableFacts): number {
  const key = table.columns.flatMap(({ pk }, cid) => (pk > 0 ? [cid] : []))
  const [only] = key
  return key.length === 1 && only !== undefined && table.columns[only]?.type.toUpperCase() === 'INTEGER' ? only : -2
}

function planKeyedTable(
  table: TableFacts,
  primaryKey: IndexFacts,
  stored: readonly number[],
  skipped: SkippedObject[],
): KeyedTablePlan {
  const key = primaryKey.parts
    .filter((part) => part.key)
    .map(({ descending, collation }, i): KeyPart => ({ source: i, collation: collationOf(collation), descending }))
  const ordered = key.every(({ collation }) => collation !== 'unknown')
  if (!ordered) skipped.push({ object: table.name, why: `its order: ${collationsUnknown(primaryKey)}` })
  return {
    kind: 'keyed-table',
    root: table.root,
    object: { kind: 'table', name: table.name, table: table.name },
    columns: stored.map((cid) => planColumn(table.columns[cid])),
    key,
    ordered,
    indexes: [],
  }
}

function planIndex(
  index: IndexFacts,
  { facts: table, at, stored }: TableInPlan,
  owner: TreePlan,
  primaryKey: IndexFacts | undefined,
): IndexPlan {
  const alias = owner.kind === 'rowid-table' ? owner.rowidAlias : -1
  const sourceOf = (cid: number): Source => {
    if (cid === -1) return fromRowid
    if (cid < 0) return fromSql
    const position = stored.indexOf(cid)
    if (position < 0) return fromSql
    return position === alias ? fromRowid : position
  }
  const parts = index.parts.map(({ cid, descending, collation }): KeyPart => ({
    source: sourceOf(cid),
    collation: collationOf(collation),
    descending,
  }))
  const keyCids = table.withoutRowid ? (primaryKey?.parts.filter((part) => part.key).map(({ cid }) => cid) ?? []) : []
  return {
    kind: 'index',
    root: index.root,
    object: { kind: 'index', name: index.name, table: index.table },
    table: at,
    entries: index.partial || parts.some(({ source }) => source === fromSql) ? 'computed' : 'plain',
    parts,
    uniqueParts: index.unique ? index.parts.filter((part) => part.key).length : 0,
    identity: table.withoutRowid
      ? keyCids.map((cid) => index.parts.findLastIndex((part) => part.cid === cid))
      : [parts.length - 1],
    ordered: parts.every(({ collation }) => collation !== 'unknown'),
  }
}

function collationOf(name: string): Collation {
  const upper = name.toUpperCase()
  return upper === 'BINARY' || upper === 'NOCASE' || upper === 'RTRIM' ? upper : 'unknown'
}

function collationsUnknown({ parts }: IndexFacts): string {
  const unknown = parts.map(({ collation }) => collation).filter((name) => collationOf(name) === 'unknown')
  return `collation ${[...new Set(unknown)].join(', ')} is the application's own`
}

const planColumn = (column: ColumnFacts | undefined): StoredColumn => ({
  name: column?.name ?? '',
  absent: column?.absent ?? { kind: 'null' },
})
