/**
 * Writes the account of a change. The keys of millions of rows go through it, so they wait in temporary files, one for
 * each table and kind of rows. `close` puts them together as one JSON document.
 */

import type { DroppedEntry } from '../../model/result/account.ts'
import type { RowKey } from '../../model/result/finding.ts'

/** Kinds of rows whose keys are listed. `ofBackup` and `leftOut` are parts of `conflicting`. */
export type AccountedKind =
  | 'added'
  | 'conflicting'
  | 'ofBackup'
  | 'leftOut'
  | 'deleted'
  | 'unreadable'
  | 'orphaned'
  | 'fromIndex'

export interface AccountOptions {
  readonly change: string
  /** Made (0700) if it does not exist, unless it is the folder of a bare file. */
  readonly folder: string
  /** Name in it. A file of this name must not exist. */
  readonly name: string
  /** For temporary files: a private folder of ours. */
  readonly scratch: string
}

/** Totals that no list of keys gives. */
export interface TableTotals {
  readonly kept: number
  /** The keys of the backup, of the readable damaged file and of its indexes, together. */
  readonly union: number
  readonly leftOutByUnique: number
  readonly leftOutByForeignKey: number
}

export interface AccountWriter extends AsyncDisposable {
  /** All calls until `endTable` are about this table. */
  beginTable(table: string): void
  /** In the order of the account. Waits while the disk is slow. @throws {Failure} NO_SPACE and others */
  addKeys(kind: AccountedKind, keys: readonly RowKey[]): Promise<void>
  /** Numbers of pages of the table that could not be read. */
  addPages(pages: readonly number[]): Promise<void>
  /** @throws {Bug} if kept + added + conflicting + deleted + unreadable is not the union */
  endTable(totals: TableTotals): Promise<void>
  /** Entries that a rebuild drops. */
  addDropped(entry: DroppedEntry): Promise<void>
  /**
   * Writes the document (0600) and gives it its name when it is on the disk.
   * @returns its path @throws {Failure} NO_SPACE and others; there is then no account
   */
  close(): Promise<string>
  /** The first keys and the sums of each table, for people. */
  readonly summary: AccountSummary
}

/** One table of an account: sums, and the first 20 keys of each kind. */
export interface TableSummary {
  readonly table: string
  readonly kept: number
  readonly rows: Readonly<Record<AccountedKind, { readonly total: number; readonly keys: readonly RowKey[] }>>
  readonly pages: number
}

export interface AccountSummary {
  readonly tables: readonly TableSummary[]
  readonly dropped: number
}
