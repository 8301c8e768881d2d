/** Findings: one thing found wrong in a snapshot. Values, never exceptions. */

/** Stable names of findings (interfaces.md). Add freely; never reuse or repurpose one. */
export const rules = [
  'row-missing-from-index',
  'entry-without-row',
  'entry-differs-from-row',
  'index-count-differs',
  'index-out-of-order',
  'unique-violated',
  'page-unreadable',
  'page-used-twice',
  'page-out-of-range',
  'page-unowned',
  'page-malformed',
  'wrong-depth',
  'rowid-out-of-order',
  'key-out-of-order',
  'overflow-broken',
  'freelist-broken',
  'pointer-map-wrong',
  'header-wrong',
  'schema-unreadable',
  'missing-schema',
  'not-a-database',
  'truncated',
  'wal-cut',
  'journal-cut',
  'record-malformed',
  'fts-broken',
  'rtree-broken',
  'null-in-not-null',
  'type-mismatch',
  'imprecise-real',
  'check-failed',
  'foreign-key-violated',
  'content-changed-silently',
  'checker-crashed',
  'check-timeout',
  'engine-says',
  'other-names',
  'schema-incomplete',
] as const
export type Rule = (typeof rules)[number]

/**
 * `damage`: data or structure is wrong. `leak`: space is lost, no data. `notice`: content an application may have put
 * there.
 */
export type Severity = 'damage' | 'leak' | 'notice'
/** Who saw it. */
export type FindingSource = 'sqlite' | 'census' | 'ledger'

export type ObjectKind =
  | 'table'
  | 'index'
  | 'fts'
  | 'rtree'
  | 'virtual-table'
  | 'view'
  | 'trigger'
  | 'schema'
  | 'freelist'
  | 'pointer-map'
  | 'file'
/** What a finding is about. `table` is the table that an index belongs to; for a table, its own name. */
export interface FoundObject {
  readonly kind: ObjectKind
  readonly name: string
  readonly table: string | null
}

/** A rowid (beyond 2^53 as a decimal string), or the key columns of a WITHOUT ROWID row (interfaces.md). */
export type KeyColumn = string | number | null | { readonly blob: string }
export type RowKey = number | string | readonly KeyColumn[]

/**
 * A value as it stands in an entry. Integers beyond 2^53 as decimal strings, reals that JSON has no number for by name;
 * text that is none in the encoding of the database as its bytes.
 */
export type SalvagedValue =
  | string
  | number
  | null
  | { readonly blob: string }
  | { readonly integer: string }
  | { readonly real: string }

/** What the entries of an index hold of rows that the table has lost, or holds in another state. */
export interface Salvage {
  /** Columns of the table whose values the entries hold, beside the key. */
  readonly columns: readonly string[]
  /** Rows concerned, exactly. */
  readonly total: number
  /**
   * Present only where somebody asked for the values (`--show-values`): rows by key, at most a thousand; `values` in
   * the order of `columns`.
   */
  readonly rows?: readonly { readonly key: RowKey; readonly values: readonly SalvagedValue[] }[]
}

export interface Finding {
  readonly rule: Rule
  readonly severity: Severity
  readonly source: FindingSource
  readonly object: FoundObject
  /** Page number, where one page is concerned. */
  readonly page?: number
  /** Pages from the root to `page`. */
  readonly trail?: readonly number[]
  /** At most the first 20 rows or keys. */
  readonly rows?: readonly RowKey[]
  /** How many rows or entries are concerned, exactly. */
  readonly total?: number
  /** A statement that lists what is concerned; to be run on a copy. */
  readonly query?: string
  /** The other owner, where two use one page. */
  readonly other?: FoundObject
  /** Other indexes of the same table that say the same of the same row. */
  readonly agreeing?: readonly string[]
  /** Present where the index may be right and the table wrong. */
  readonly salvage?: Salvage
  /** One sentence for a person. Never holds values of a row other than its key. */
  readonly text: string
}

/** Classes of damage, from harmless to worst (interfaces.md, `damage`). */
export const damageClasses = ['none', 'index', 'fts', 'structure', 'table', 'schema', 'file'] as const
export type DamageClass = (typeof damageClasses)[number]

/** A hint at the root cause, and the observation that it rests on. */
export interface Cause {
  readonly hint:
    | 'wal-reset-bug'
    | 'stale-wal'
    | 'many-names'
    | 'untrusted-file-system'
    | 'zeroed-range'
    | 'cross-linked'
    | 'truncated-copy'
    | 'bit-rot'
    | 'lost-table-write'
    | 'index-or-table'
    | 'foreign-companion'
    | 'newer-sqlite'
    | 'other-sqlite'
  readonly why: string
}
