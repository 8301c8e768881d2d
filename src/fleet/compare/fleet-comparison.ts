/** The comparison of all copies that the fleet has of a tenant: the document of `fleet compare --json`. */

import type { ExitCode } from '../../model/exit-code.ts'
import type { TableComparison } from '../../model/result/comparison.ts'

/** As for `compare`. `not-compared`: nothing that was compared differs, but not all of it was compared. */
export type CopiesWord = 'equal' | 'differs' | 'not-compared'

/** One file of the tenant on one host. */
export interface ComparedCopy {
  /** Short, and unique in this comparison: the host, if it has no other copy of the file. */
  readonly label: string
  readonly host: string
  readonly service: string
  readonly path: string
  /** Of its last check; null if it was never checked. */
  readonly verdict: string | null
  /** When its digests were made, by the clock of the database; null if there are none. */
  readonly digestsOf: string | null
  /** Why its digests do not say all of it; null if they do. */
  readonly doubt: string | null
}

/** What some copies have in common. */
export interface TableVariant {
  /** Labels of the copies. */
  readonly copies: readonly string[]
  /** null if they have no such table, or if its rows were not counted. */
  readonly rows: number | null
  /** null as `rows`. */
  readonly digest: string | null
  /** True if these copies have no such table. */
  readonly missing: boolean
}

export interface CopiesOfTable {
  readonly name: string
  readonly comparison: CopiesWord
  /** The variant of most copies first. Each copy with digests is in one of them. */
  readonly variants: readonly TableVariant[]
  /** Why the table was not compared, or not in all copies; null if it was. */
  readonly why: string | null
}

/** Two copies whose rows were compared over the network, at the time of the comparison. */
export interface PairByKey {
  /** Labels. */
  readonly a: string
  readonly b: string
  /** Those that differ, or could not be compared. */
  readonly tables: readonly TableComparison[]
  /** Why the rows were not compared; null if they were. */
  readonly why: string | null
}

export interface CopiesOfFile {
  /** Name without folders. If each host has one file, the name of the first. */
  readonly name: string
  readonly comparison: CopiesWord
  readonly copies: readonly ComparedCopy[]
  /** Whether columns, indexes, views and triggers are the same; `not-compared` if a schema was not read wholly. */
  readonly schema: CopiesWord
  /** ms between the oldest and the newest digests. What was written in between differs too. null for less than two. */
  readonly apartMs: number | null
  readonly tables: readonly CopiesOfTable[]
  /** Present if it was asked for: the first copy and each other one. */
  readonly byKey?: readonly PairByKey[]
  /** Why nothing, or not everything, was compared; null if the tables say it. */
  readonly why: string | null
}

export interface CopiesCounts {
  readonly total: number
  readonly equal: number
  readonly differing: number
  readonly notCompared: number
}

export interface FleetComparison {
  readonly schema: 'holdfast.fleetcompare/1'
  readonly tool: { readonly version: string }
  readonly tenant: string
  readonly comparedAt: string
  readonly outcome: 'equal' | 'differ' | 'inconclusive'
  readonly files: readonly CopiesOfFile[]
  /** Present if the fleet knows more copies than are compared. */
  readonly copiesLeftOut?: true
  readonly summary: {
    readonly copies: number
    readonly files: CopiesCounts
    readonly tables: CopiesCounts
    readonly exitCode: ExitCode
  }
}
