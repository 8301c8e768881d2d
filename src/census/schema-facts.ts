/**
 * What SQLite itself says of a schema: the columns of `pragma table_xinfo`, `index_list`, `index_xinfo` and
 * `sqlite_schema`. The part of the check that has a connection collects them.
 */

import type { ColumnValue } from '../sqlite/column-value.ts'

export interface ColumnFacts {
  readonly name: string
  /** The declared type, as table_xinfo has it; empty if there is none. */
  readonly type: string
  /** Position in the primary key, counted from 1; 0 if the column is not in it. */
  readonly pk: number
  /** As table_xinfo has it: 0 ordinary, 2 virtual generated, 3 stored generated. */
  readonly hidden: number
  /**
   * The value in rows that are older than the column. It is what `ALTER TABLE t ADD COLUMN c <affinity> DEFAULT
   * <dflt_value>` gives to an old row of a scratch table in memory. NULL if there is no default, or if SQLite refuses
   * it because it is not constant.
   */
  readonly absent: ColumnValue
}

export interface TableFacts {
  readonly name: string
  readonly root: number
  readonly withoutRowid: boolean
  /** In the order of table_xinfo. */
  readonly columns: readonly ColumnFacts[]
}

export interface IndexFacts {
  /** Also the primary key of a table WITHOUT ROWID is an index here; its `root` is the table's. */
  readonly name: string
  readonly table: string
  readonly root: number
  /** index_list: unique. */
  readonly unique: boolean
  /** index_list: partial. */
  readonly partial: boolean
  /** index_list: 'c', 'u' or 'pk'. */
  readonly origin: string
  /** The rows of index_xinfo by seqno, auxiliary columns included. */
  readonly parts: readonly {
    readonly cid: number
    readonly descending: boolean
    readonly collation: string
    readonly key: boolean
  }[]
}

export interface SchemaFacts {
  readonly pageSize: number
  readonly usable: number
  readonly pages: number
  /** From the header. */
  readonly encoding: number
  /**
   * All ordinary tables with a root page, including sqlite_sequence, statistics and shadow tables. Without
   * sqlite_schema, which `planCensus` adds.
   */
  readonly tables: readonly TableFacts[]
  readonly indexes: readonly IndexFacts[]
}
