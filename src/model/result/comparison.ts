/** A comparison of the files of two sides, table by table, and the rows in which they differ (I3.2). */

import type { RowKey } from './finding.ts'
import type { Result, RunFailure } from './report.ts'

/** The two sides of a comparison, A and B in the order of the command line. */
export interface SidePair<Value> {
  readonly a: Value
  readonly b: Value
}

/** The prefix of a tenant whose name could also be a file. */
export const tenantPrefix = 'tenant:'

/**
 * The result for a table, and for a file. `not-compared`: one side was not completely read, and nothing that was read
 * differs.
 */
export type ComparisonWord = 'equal' | 'differs' | 'only-in-a' | 'only-in-b' | 'not-compared'

/**
 * What identifies a row of a table. `content`: only its values, because without INTEGER PRIMARY KEY a rowid is not part
 * of the content, and VACUUM may change it. Such rows are never "different", only on one side, and their rowids are
 * those of that side.
 */
export type RowIdentity = 'rowid' | 'primary-key' | 'content'

export interface DifferingRows {
  readonly total: number
  /** The first 20, in the order NULL, numbers, text, BLOBs. */
  readonly keys: readonly RowKey[]
}

export interface RowDifferences {
  /** The sum of all three. */
  readonly rows: number
  /** False if there were too many to compare: then every number is a lower bound. */
  readonly exact: boolean
  readonly onlyInA: DifferingRows
  readonly onlyInB: DifferingRows
  /** Rows that both sides have, with different values. */
  readonly different: DifferingRows
}

export interface TableComparison {
  readonly name: string
  /** The virtual table that keeps its data in this one; null if there is none. */
  readonly partOf: string | null
  readonly comparison: ComparisonWord
  /** null if they were not counted, or if there is no such table. */
  readonly rows: SidePair<number | null>
  /** Digests of the content, equal for equal rows in any layout of pages; null if there is none. */
  readonly digest: SidePair<string | null>
  /** What identifies the rows in `differing`; null if rows were not compared. */
  readonly rowsToldBy: RowIdentity | null
  readonly differing: RowDifferences | null
  /** Why the table, its rows or a part of them were not compared; null if all of it was. */
  readonly why: string | null
}

/**
 * A difference that is not in rows: a statement of the schema, or a setting that the application keeps in the header.
 */
export interface SchemaDifference {
  readonly kind: 'table' | 'index' | 'view' | 'trigger' | 'virtual-table' | 'setting'
  readonly name: string
  readonly comparison: 'differs' | 'only-in-a' | 'only-in-b'
  /** One sentence for a person. Never holds values of rows. */
  readonly text: string
}

/** The comparison of two snapshots. */
export interface Comparison {
  /** Why the two could not be compared at all; null if they could. */
  readonly why: string | null
  readonly tables: readonly TableComparison[]
  readonly schemaDifferences: readonly SchemaDifference[]
}

/** A file that both sides have, or only one of them. */
export interface FileComparison {
  /** The name without folders, by which files are paired. If each side has only one file: the name of A's file. */
  readonly name: string
  /** As the service or a person gave it; null on a side that has no such file. */
  readonly paths: SidePair<string | null>
  /**
   * A file that only one side has is listed and not read: no tenant is paused for a comparison that has no other side.
   */
  readonly comparison: ComparisonWord
  /** Why nothing, or not everything, was compared; null if the tables say it. */
  readonly why: string | null
  /** The results of the checks; null if the run did not reach one. */
  readonly results: SidePair<Result | null>
  readonly tables: readonly TableComparison[]
  readonly schemaDifferences: readonly SchemaDifference[]
}

/** The result for all files together. `inconclusive`: no difference was seen, but not everything was compared. */
export type ComparisonOutcome = 'equal' | 'differ' | 'inconclusive'

export interface SideOfComparison {
  /** As it was given on the command line. */
  readonly given: string
  /**
   * `file` and `copy`: one, or a folder of them. `backup`: restored for the comparison. `unknown`: the run ended before
   * this was known.
   */
  readonly kind: 'file' | 'copy' | 'backup' | 'tenant' | 'unknown'
}

/** The number of files or tables with each result. */
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
  /** In tables that both sides have; a lower bound if not all rows were compared. */
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
    /** `none` for files, otherwise `live` or `cached since …`. */
    readonly registry: string
  }
  readonly sides: SidePair<SideOfComparison>
  readonly outcome: ComparisonOutcome
  /** Empty if the run ended before it knew them. */
  readonly files: readonly FileComparison[]
  /** Present if the run itself failed: then it did not reach all files. */
  readonly failure?: RunFailure
  readonly summary: ComparisonSummary
}
