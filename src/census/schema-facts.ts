/**
 * What SQLite itself says of a schema: the columns of `pragma table_xinfo`, `index_list`, `index_xinfo` and
 * `sqlite_schema`, gathered by whoever has a connection.
 */

import type { ColumnValue } from '../sqlite/column-value.ts'

export interface ColumnFacts {
  readonly name: string
  /** The declared type, as table_xinfo gives it; empty where there is none. */
  readonly type: string
  /** Position in the primary key from 1 on; 0 outside of it. */
  readonly pk: number
  /** As table_xinfo: 0 ordinary, 2 virtual generated, 3 stored generated. */
  readonly hidden: number
  /**
   * The value that rows have which are older than the column: what `ALTER TABLE t ADD COLUMN c <affinity> DEFAULT
   * <dflt_value>` gives to an old row of a scratch table in memory; NULL where there is no default or SQLite refuses it
   * as not constant.
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
  /** For the primary key of a table WITHOUT ROWID the name of the index; its `root` is the table's. */
  readonly name: string
  readonly table: string
  readonly root: number
  /** index_list: unique. */
  readonly unique: boolean
  /** index_list: partial. */
  readonly partial: boolean
  /** index_list: 'c', 'u' or 'pk'. */
  readonly origin: string
  /** Rows of index_xinfo by seqno, auxiliary columns included. */
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
   * All ordinary tables with a root page; also sqlite_sequence, statistics and shadow tables. `planCensus` adds
   * sqlite_schema itself.
   */
  readonly tables: readonly TableFacts[]
  readonly indexes: readonly IndexFacts[]
}
