/** The account of a remedy: what became of each row that either side knew (account.schema.json). */

import type { RowKey, SalvagedValue } from './finding.ts'

/** Rows of one kind: their exact number, and all of their keys. */
interface AccountedRows {
  readonly total: number
  readonly keys: readonly RowKey[]
}

/** Which version of a row stays in the result, if both sides have it with different values. */
export const conflictRules = ['newer', 'backup'] as const
export type ConflictRule = (typeof conflictRules)[number]

/** stayed.newer + stayed.backup + leftOut.total = total. */
interface ConflictingRows extends AccountedRows {
  /** How many rows of which side are in the result. */
  readonly stayed: Readonly<Record<ConflictRule, number>>
  /** Those of `keys` that are in the result as the backup has them. */
  readonly keysOfBackup: readonly RowKey[]
  /** Those that are not in the result: beside rows of the other side, a constraint forbids them. */
  readonly leftOut: AccountedRows & { readonly byUnique: number; readonly byForeignKey: number }
}

/**
 * Rows whose keys lie between both bounds, without them, may have been lost: nothing names them, and the pages that
 * held them cannot be read. Null: there is no bound on this side.
 */
export interface LostRange {
  readonly after: RowKey | null
  readonly before: RowKey | null
  readonly pages: readonly number[]
}

/**
 * kept + added + conflicting + deleted + unreadable = the keys of the backup, of the readable damaged file, and those
 * that only its indexes know, together.
 */
export interface TableAccount {
  readonly table: string
  /** In the result as the backup has it; without a backup, as the damaged file has it. */
  readonly kept: number
  /** Only the damaged file had it, and it is in the result. */
  readonly added: AccountedRows
  /** Both had it with different values, or a constraint allows it only on one side. */
  readonly conflicting: ConflictingRows
  /** The backup had it, and the damaged file had deleted it. */
  readonly deleted: AccountedRows
  /** Known to an index or to a lost page only, and not in the result. */
  readonly unreadable: AccountedRows
  /** Rows on pages that no table owns any more: in `holdfast_orphaned_TABLE`, never in the table itself. */
  readonly orphaned: AccountedRows
  /** Rebuilt wholly from the entries of indexes, and in the result. They are counted in `kept` or `added` too. */
  readonly fromIndex: AccountedRows
  /** In the result, and contradicted by an index that could be read. They are counted in `kept` or `added` too. */
  readonly doubted: AccountedRows
  /** Pages of the table that could not be read. */
  readonly pages: readonly number[]
  /** In the order of keys. They may overlap rows that other lists name. */
  readonly lostRanges: readonly LostRange[]
}

/** An index entry that a rebuild or a salvage drops: no row agrees with it. It may be the only copy of its values. */
export interface DroppedEntry {
  readonly index: string
  readonly key: RowKey | null
  readonly columns: readonly string[]
  readonly values: readonly SalvagedValue[]
}

export interface Account {
  readonly schema: 'holdfast.account/1'
  readonly change: string
  readonly tables: readonly TableAccount[]
  /** Present if there are such entries. */
  readonly dropped?: readonly DroppedEntry[]
}

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
  'doubted',
] as const
export type AccountedKind = (typeof accountedKinds)[number]

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
  /** How many ranges, and the first ones. */
  readonly lostRanges: { readonly total: number; readonly first: readonly LostRange[] }
}

export interface AccountSummary {
  readonly tables: readonly TableSummary[]
  readonly dropped: number
}
