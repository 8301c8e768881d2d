/**
 * What the census counts: which trees there are, what a row of each table holds, and which entry each index must hold
 * for a row. It is plain data, so that it can be sent to workers in other processes.
 */

import type { FoundObject } from '../model/result/finding.ts'
import type { Skipped } from '../model/result/verdict.ts'
import type { ColumnValue } from '../sqlite/column-value.ts'
import type { ColumnFacts, IndexFacts, SchemaFacts, TableFacts } from './schema-facts.ts'

export type Collation = 'BINARY' | 'NOCASE' | 'RTRIM' | 'unknown'
/** 1 UTF-8, 2 UTF-16le, 3 UTF-16be, as in the header. */
export type TextEncoding = 1 | 2 | 3

export interface CensusPlan {
  /** Bytes. */
  readonly pageSize: number
  /** Bytes of a page less the reserved ones. */
  readonly usable: number
  /** Pages that the database has. */
  readonly pages: number
  readonly encoding: TextEncoding
  /** Sums kept for each index: a power of two. */
  readonly buckets: number
  readonly trees: readonly TreePlan[]
}

/** Where a part of an index comes from: a position in the row in storage order, or one of the two below. */
export type Source = number
/** The rowid of the row. */
export const fromRowid = -1
/** An expression or a virtual generated column: SQLite must compute it. */
export const fromSql = -2

export interface KeyPart {
  readonly source: Source
  readonly collation: Collation
  readonly descending: boolean
}

export interface StoredColumn {
  readonly name: string
  /** The value in rows that are older than the column. */
  readonly absent: ColumnValue
}

/** A table with rowids. Its leaves hold rows, and each of its plain indexes must hold one entry for a row. */
export interface RowidTablePlan {
  readonly kind: 'rowid-table'
  readonly root: number
  readonly object: FoundObject
  /** In storage order. Virtual generated columns are not stored. */
  readonly columns: readonly StoredColumn[]
  /** Position of the INTEGER PRIMARY KEY, whose value is the rowid; -1 if there is none. */
  readonly rowidAlias: number
  /** Positions in `trees` of its plain indexes. */
  readonly indexes: readonly number[]
}

/** A table WITHOUT ROWID. Its primary key index holds the rows, key columns first. */
export interface KeyedTablePlan {
  readonly kind: 'keyed-table'
  readonly root: number
  readonly object: FoundObject
  readonly columns: readonly StoredColumn[]
  /** The first columns, by which rows are ordered. No two rows are equal in all of them. */
  readonly key: readonly KeyPart[]
  readonly ordered: boolean
  readonly indexes: readonly number[]
}

export interface IndexPlan {
  readonly kind: 'index'
  readonly root: number
  readonly object: FoundObject
  /** `computed`: the index is partial, or has expressions or virtual columns. SQLite computes what it must hold. */
  readonly entries: 'plain' | 'computed'
  /** Position in `trees` of its table. */
  readonly table: number
  /** All columns of an entry, including those that name the row. */
  readonly parts: readonly KeyPart[]
  /** How many of the first parts must be unique together if none of them is NULL; 0 if the index is not UNIQUE. */
  readonly uniqueParts: number
  /** Positions in `parts` of the rowid, or of the primary key of a table WITHOUT ROWID. */
  readonly identity: readonly number[]
  /** False if a collation is not known here. The order is then not checked. */
  readonly ordered: boolean
}

export type TreePlan = RowidTablePlan | KeyedTablePlan | IndexPlan

export interface PlanResult {
  readonly plan: CensusPlan
  /** Objects that are not counted, or whose order is not checked, with the reason. */
  readonly skipped: readonly Skipped[]
}

/** Makes the plan. A tree is either in the plan or in `skipped`. */
export function planCensus(facts: SchemaFacts): PlanResult {
  const { pageSize, usable, pages } = facts
  const encoding: TextEncoding = facts.encoding === 2 || facts.encoding === 3 ? facts.encoding : 1
  const skipped: Skipped[] = []
  const trees: TreePlan[] = [schemaTable]
  const tables = new Map(facts.tables.map((table) => [table.name, table]))
  const primaryKeys = new Map(
    facts.indexes.filter(({ origin }) => origin === 'pk').map((index) => [index.table, index]),
  )
  const tableAt = new Map<string, number>()
  const storedByTable = new Map<string, readonly number[]>()
  for (const table of facts.tables) {
    const primaryKey = primaryKeys.get(table.name)
    if (table.withoutRowid && primaryKey === undefined) {
      skipped.push({ object: table.name, why: 'SQLite does not name its primary key' })
      continue
    }
    tableAt.set(table.name, trees.length)
    const stored =
      table.withoutRowid && primaryKey !== undefined ? primaryKey.parts.map(({ cid }) => cid) : storedColumns(table)
    storedByTable.set(table.name, stored)
    trees.push(
      table.withoutRowid && primaryKey !== undefined
        ? planKeyedTable(table, primaryKey, stored, skipped)
        : planRowidTable(table, stored, primaryKey === undefined),
    )
  }
  for (const index of facts.indexes) {
    const table = tables.get(index.table)
    const at = tableAt.get(index.table)
    const owner = at === undefined ? undefined : trees[at]
    if (table?.withoutRowid === true && index.origin === 'pk') continue
    if (table === undefined || at === undefined || owner === undefined) {
      skipped.push({ object: index.name, why: 'its table is not counted' })
      continue
    }
    const planned = planIndex(
      index,
      table,
      at,
      storedByTable.get(index.table) ?? [],
      owner,
      primaryKeys.get(index.table),
    )
    if (!planned.ordered) skipped.push({ object: index.name, why: `its order: ${collationsUnknown(index)}` })
    if (planned.entries === 'plain' && owner.kind !== 'index')
      trees[at] = { ...owner, indexes: [...owner.indexes, trees.length] }
    trees.push(planned)
  }
  return { plan: { pageSize, usable, pages, encoding, buckets: bucketsFor(trees.length, pages), trees }, skipped }
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
  skipped: Skipped[],
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
  table: TableFacts,
  at: number,
  stored: readonly number[],
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
