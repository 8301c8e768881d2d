import type { Cause, DamageClass, Finding } from './finding.ts'

export type NonEmpty<Item> = readonly [Item, ...Item[]]

/** The result of a check. Unread or unproven is never `sound`; unreadable alone is never `damaged`. */
type Verdict =
  | { readonly kind: 'sound' }
  | { readonly kind: 'damaged'; readonly findings: NonEmpty<Finding> }
  | { readonly kind: 'inconclusive'; readonly reason: string }

export type VerdictWord = Verdict['kind'] | 'failed'

/** What will mend the file (diagnosis/README.md). `command`: what to type next; null if there is nothing to do. */
export interface Remedy {
  readonly do: 'nothing' | 'rebuild' | 'restore' | 'ask'
  /** Names of the indexes to rebuild by REINDEX; empty for another remedy. */
  readonly indexes: readonly string[]
  /** Present if full-text indexes are to be rebuilt by their module: each with the table or view that has its text. */
  readonly fts?: readonly { readonly name: string; readonly source: string }[]
  /** Present and true if a rebuild writes the whole file anew: only its page accounting is damaged. */
  readonly rewrite?: true
  /** True if the remedy was carried out on a copy, and the copy was then sound. */
  readonly rehearsed: boolean
  readonly why: string
  readonly command: string | null
}

/** What a checker may lack or not understand; the configuration may accept it (`check.accept`). */
export const knownLimits = [
  'unknown-collation',
  'unknown-function',
  'unknown-module',
  'unknown-tokenizer',
  'newer-sqlite',
] as const
export type Limit = (typeof knownLimits)[number]

/** An entry of `check.accept`. Null: for all tenants, and also bare files; for all objects. */
export interface AcceptedLimit {
  readonly limit: Limit
  /** Patterns of ids (text/glob.ts). */
  readonly tenants: readonly string[] | null
  /** Patterns of names of objects. */
  readonly objects: readonly string[] | null
}

export interface SkippedObject {
  readonly object: string
  readonly why: string
  /** Present in reports if the reason is a known limit. */
  readonly limit?: Limit
  /** Present if the configuration accepts this limit for this object: it does not keep the verdict from `sound`. */
  readonly accepted?: true
  /**
   * Present if the entry that accepts `newer-sqlite` names no objects: a statement that damage has changed would be
   * accepted as well.
   */
  readonly acceptedUnnamed?: true
}

/**
 * How much of the snapshot was read. `pages` and `pagesRead` count pages of the database file and its lock-byte page.
 */
export interface Coverage {
  readonly pages: number
  readonly pagesRead: number
  readonly objects: number
  readonly skipped: readonly SkippedObject[]
}

export interface TableContent {
  readonly name: string
  readonly rows: number
  /** Digest of the content, independent of page layout; null if the engine gives none. */
  readonly digest: string | null
}

/** Of text. */
export type TextEncodingName = 'UTF-8' | 'UTF-16le' | 'UTF-16be'

/** What digests of two files must have in common, or they are not comparable. */
export interface ContentBasis {
  /** The way in which they are made (census/content-format.ts). */
  readonly format: string
  /** Texts of different encodings have different digests. */
  readonly encoding: TextEncodingName
  /** Digest of the normalized schema: only equal columns have comparable digests. null if it was not read wholly. */
  readonly schema: string | null
}

/** What the census counted of a table besides its rows. */
export interface RowCounts {
  readonly table: string
  /** Rows that cannot be decoded. */
  readonly broken: number
  /** The indexes that must have one entry for each row. */
  readonly indexes: readonly { readonly name: string; readonly entries: number }[]
}

/** A table as reports list it. */
export interface ReportedTable extends TableContent {
  /** Rows that were read completely. Present if damage was found and all reachable rows were read one by one. */
  readonly readable?: number
  /** Rows that cannot be read; null if they cannot be counted. Present together with `readable`. */
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
