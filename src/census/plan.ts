/**
 * What the census counts: which trees there are, what a row of each table holds, and which entry each index must hold
 * for a row. It is plain data, so that it can be sent to workers in other processes.
 */

import type { FoundObject } from '../model/result/finding.ts'
import type { ColumnValue } from '../sqlite/column-value.ts'

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
