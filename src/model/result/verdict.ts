import type { Cause, DamageClass, Finding } from './finding.ts'

export type NonEmpty<Item> = readonly [Item, ...Item[]]

/** What a check says of a file. Unread or unproven is never `sound`; merely unreadable is never `damaged`. */
export type Verdict =
  | { readonly kind: 'sound' }
  | { readonly kind: 'damaged'; readonly findings: NonEmpty<Finding> }
  | { readonly kind: 'inconclusive'; readonly reason: string }

export type VerdictWord = Verdict['kind'] | 'failed'

/** What will mend it (diagnosis/README.md). `command` is what to type next; null when there is nothing to do. */
export interface Remedy {
  readonly do: 'nothing' | 'rebuild' | 'restore' | 'ask'
  /** Names of the indexes to rebuild; empty where the remedy is another. */
  readonly indexes: readonly string[]
  readonly rehearsed: boolean
  readonly why: string
  readonly command: string | null
}

/** What a checker may lack or not understand (interfaces.md, "Accepting a known limit"). */
export type Limit = 'unknown-collation' | 'unknown-function' | 'unknown-module' | 'unknown-tokenizer' | 'newer-sqlite'

export interface Skipped {
  readonly object: string
  readonly why: string
  /** Present in reports where the reason is a known limit. */
  readonly limit?: Limit
}

/**
 * How much of the snapshot was read. `pages` and `pagesRead` count pages of the database file, the lock-byte page
 * included.
 */
export interface Coverage {
  readonly pages: number
  readonly pagesRead: number
  readonly objects: number
  readonly skipped: readonly Skipped[]
}

export interface TableContent {
  readonly name: string
  readonly rows: number
  /** Content digest independent of page layout; null where the engine gives none. */
  readonly digest: string | null
}

/** What the census counted of a table beside its rows. */
export interface RowCounts {
  readonly table: string
  /** Rows that cannot be decoded. */
  readonly broken: number
  /** Entries of its indexes that have one for each row. */
  readonly indexes: readonly { readonly name: string; readonly entries: number }[]
}

/** What a report says of a table. */
export interface ReportedTable extends TableContent {
  /** Rows that were read wholly. Present where damage was found, and all that can be reached was read row by row. */
  readonly readable?: number
  /** Rows that cannot be read; null where they cannot be counted. Present beside `readable`. */
  readonly unreadable?: number | null
}

/** Everything that diagnosis concludes from one reading of a snapshot. */
export interface Diagnosis {
  readonly verdict: Verdict
  readonly damage: DamageClass
  /** All findings, worst first, notices last. */
  readonly findings: readonly Finding[]
  readonly remedy: Remedy
  readonly causes: readonly Cause[]
}
