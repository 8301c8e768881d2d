/** Findings: one thing found wrong in a snapshot. Values, never exceptions. */

/** Names of findings. They are a contract with readers of reports: add freely, never reuse or repurpose one. */
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
  'tree-unowned',
  'wal-large',
  'journal-old',
  'rows-gone',
  'schema-differs',
  'slower-than-usual',
  'page-checksum-wrong',
  'invariant-violated',
  'invariant-unjudged',
  'reading-differs',
  'snapshots-differ',
] as const
export type Rule = (typeof rules)[number]

/**
 * `damage`: data or structure is wrong. `leak`: space is lost, but no data. `notice`: content that an application may
 * have written itself.
 */
export type Severity = 'damage' | 'leak' | 'notice'
/** What found it. `invariant`: a rule of the application (`check.invariants`). */
type FindingSource = 'sqlite' | 'census' | 'ledger' | 'invariant'

type ObjectKind =
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

/** A rowid (beyond 2^53 as a decimal string), or the key columns of a WITHOUT ROWID row (report.schema.json). */
export type KeyColumn = string | number | null | { readonly blob: string }
export type RowKey = number | string | readonly KeyColumn[]

/**
 * A value of an index entry. An integer beyond 2^53 is a decimal string. A real that JSON cannot write is its name.
 * Text that is invalid in the encoding of the database is its bytes.
 */
export type SalvagedValue =
  | string
  | number
  | null
  | { readonly blob: string }
  | { readonly integer: string }
  | { readonly real: string }

/** What the entries of an index hold of rows that the table has lost, or holds with other values. */
export interface Salvage {
  /** Columns of the table whose values the entries hold, beside the key. */
  readonly columns: readonly string[]
  /** The exact number of rows. */
  readonly total: number
  /** Present only with `--show-values`: at most a thousand rows by key, with `values` in the order of `columns`. */
  readonly rows?: readonly { readonly key: RowKey; readonly values: readonly SalvagedValue[] }[]
}

export interface Finding {
  readonly rule: Rule
  readonly severity: Severity
  readonly source: FindingSource
  readonly object: FoundObject
  /** Present if the finding is about one page. */
  readonly page?: number
  /** Pages from the root to `page`. */
  readonly trail?: readonly number[]
  /** At most the first 20 rows or keys. */
  readonly rows?: readonly RowKey[]
  /** The exact number of rows or entries. */
  readonly total?: number
  /** A statement that lists the rows or values, to be run on a copy. */
  readonly query?: string
  /** The other owner, if two use one page. */
  readonly other?: FoundObject
  /** Other indexes of the same table that disagree with it about the same row in the same way. */
  readonly agreeing?: readonly string[]
  /** Present if the index may be right and the table wrong. */
  readonly salvage?: Salvage
  /** Name of the rule of the application in `check.invariants`; present if the finding is about one. */
  readonly invariant?: string
  /** What the command of that rule printed: the first lines, made printable. */
  readonly lines?: readonly string[]
  /** One sentence for a person. Never holds values of a row other than its key. */
  readonly text: string
}

/** Classes of damage, from harmless to worst. */
export const damageClasses = ['none', 'index', 'fts', 'structure', 'table', 'schema', 'file'] as const
export type DamageClass = (typeof damageClasses)[number]

/** A possible root cause, and the observation that it rests on. */
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
