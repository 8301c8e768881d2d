/** What an account says of a table, beside the keys themselves. */

import type { RowKey } from '../../model/result/finding.ts'

/** Kinds of rows whose keys are listed. `ofBackup` and `leftOut` are parts of `conflicting`. */
export const accountedKinds = [
  'added',
  'conflicting',
  'ofBackup',
  'leftOut',
  'deleted',
  'unreadable',
  'orphaned',
  'fromIndex',
] as const
export type AccountedKind = (typeof accountedKinds)[number]

/** Totals that no list of keys gives. */
export interface TableTotals {
  readonly kept: number
  /** How many keys the backup, the readable damaged file and its indexes know, together. */
  readonly union: number
  readonly leftOutByUnique: number
  readonly leftOutByForeignKey: number
}

/** Rows of one kind, for people: how many, and the first 20 keys. */
export interface SummedRows {
  readonly total: number
  readonly keys: readonly RowKey[]
}

/** One table of an account, for people. */
export interface TableSummary {
  readonly table: string
  readonly kept: number
  readonly rows: Readonly<Record<AccountedKind, SummedRows>>
  /** How many of its pages could not be read. */
  readonly pages: number
}

export interface AccountSummary {
  readonly tables: readonly TableSummary[]
  readonly dropped: number
}
