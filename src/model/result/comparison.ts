/** A comparison: what the files of two sides hold, table by table, and which rows they do not have in common (I3.2). */
import type { RowKey } from './finding.ts'
import type { Result, RunFailure } from './report.ts'

/** The two things that are compared, called A and B as they were given. */
export interface Sided<Value> {
  readonly a: Value
  readonly b: Value
}

/** Begins the name of a tenant that could be taken for a file. */
export const tenantPrefix = 'tenant:'

/**
 * What is said of a table, and of a file. `not-compared`: what one side holds was not wholly read, and nothing that was
 * read differs.
 */
export type ComparisonWord = 'equal' | 'differs' | 'only-in-a' | 'only-in-b' | 'not-compared'

/**
 * What tells one row of a table from another. `content`: nothing but what it holds, for the rowid of a table without
 * INTEGER PRIMARY KEY is no content, and VACUUM may give another. Its rows are never "different", only on one side;
 * their rowids are those that each side happens to use.
 */
export type RowIdentity = 'rowid' | 'primary-key' | 'content'

export interface DifferingRows {
  readonly total: number
  /** The first 20, in the order NULL, numbers, text, BLOBs. */
  readonly keys: readonly RowKey[]
}

export interface RowDifferences {
  /** All of the three together. */
  readonly rows: number
  /** False where there were more than could be told apart: then every number is the least that there is. */
  readonly exact: boolean
  readonly onlyInA: DifferingRows
  readonly onlyInB: DifferingRows
  /** Rows that both sides have, and that hold something else. */
  readonly different: DifferingRows
}

export interface TableComparison {
  readonly name: string
  /** Virtual table that keeps its data in this one, else null. */
  readonly partOf: string | null
  readonly comparison: ComparisonWord
  /** null where they were not counted, or there is no such table. */
  readonly rows: Sided<number | null>
  /** Content digests, equal for equal rows whatever the layout of their pages; null where they could not be had. */
  readonly digest: Sided<string | null>
  /** What the rows in `differing` are told apart by; null where they were not looked at. */
  readonly rowsToldBy: RowIdentity | null
  readonly differing: RowDifferences | null
  /** Why it was not compared, or its rows were not told apart, or what makes the answer less than whole; else null. */
  readonly why: string | null
}

/**
 * Something besides rows in which the two differ: a statement of the schema, or a setting that the application keeps in
 * the header.
 */
export interface SchemaDifference {
  readonly kind: 'table' | 'index' | 'view' | 'trigger' | 'virtual-table' | 'setting'
  readonly name: string
  readonly comparison: 'differs' | 'only-in-a' | 'only-in-b'
  /** One sentence for a person. Never holds values of rows. */
  readonly text: string
}

/** Two snapshots beside each other. */
export interface Comparison {
  /** Why the two could not be read side by side at all; null where they could. */
  readonly why: string | null
  readonly tables: readonly TableComparison[]
  readonly schemaDifferences: readonly SchemaDifference[]
}

/** A file of both sides, or one that only one of them has. */
export interface FileComparison {
  /**
   * Its name without folders, by which files are paired; where each side has one file, whatever it is called, the name
   * of A's.
   */
  readonly name: string
  /** As the service or a person named it; null on a side that has no such file. */
  readonly paths: Sided<string | null>
  /**
   * A file that only one side has is named and nothing else: nobody stands still for a comparison that can come to
   * nothing.
   */
  readonly comparison: ComparisonWord
  /** Why nothing, or not everything, was compared; null where that stands with the tables. */
  readonly why: string | null
  /** What the checks came to; null where the run did not come to one. */
  readonly results: Sided<Result | null>
  readonly tables: readonly TableComparison[]
  readonly schemaDifferences: readonly SchemaDifference[]
}

/** Of all files together. `inconclusive`: no difference was seen, and not everything was compared. */
export type ComparisonOutcome = 'equal' | 'differ' | 'inconclusive'

export interface SideOfComparison {
  /** As it was given on the command line. */
  readonly given: string
  /** `file` and `copy`: one, or a folder of them; `unknown`: the run ended before that was told. */
  readonly kind: 'file' | 'copy' | 'tenant' | 'unknown'
}

/** How many there are of each word. */
export interface ComparisonCounts {
  readonly total: number
  readonly equal: number
  readonly differing: number
  readonly onlyInA: number
  readonly onlyInB: number
  readonly notCompared: number
}

export interface ComparisonSummary {
  readonly files: ComparisonCounts
  /** Of all files that were compared. */
  readonly tables: ComparisonCounts
  /** Of tables that both sides have; the least that there are where not all could be told apart. */
  readonly rowsDiffering: number
  readonly schemaDifferences: number
  readonly exitCode: number
}

/** The document of `holdfast compare --json`. */
export interface ComparisonReport {
  readonly schema: 'holdfast.compare/1'
  readonly tool: { readonly version: string; readonly sqlite: string }
  readonly run: {
    readonly id: string
    readonly mode: 'compare'
    readonly startedAt: string
    readonly finishedAt: string
    readonly registry: 'none' | 'live'
  }
  readonly sides: Sided<SideOfComparison>
  readonly outcome: ComparisonOutcome
  /** None where the run ended before it knew them. */
  readonly files: readonly FileComparison[]
  /** Present when the run as such failed: then it did not come to all files. */
  readonly failure?: RunFailure
  readonly summary: ComparisonSummary
}
