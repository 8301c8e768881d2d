/** The report of a run: one result for each file (report.schema.json). */

import type { TenantId } from '../brand.ts'
import type { FailureCode, TenantState } from '../failure.ts'
import type { Evidence } from './evidence.ts'
import type { Cause, DamageClass, Finding } from './finding.ts'
import type { PageMap } from './page-map.ts'
import type { CheckDepth, Engine, Wall } from './reading.ts'
import type { Recovery } from './recovery.ts'
import type { ReportedSample } from './sample.ts'
import type { ContentBasis, Coverage, Remedy, ReportedTable, VerdictWord } from './verdict.ts'

export interface ReportedFailure {
  readonly code: FailureCode
  readonly message: string
  readonly hint: string
  readonly tenantState: TenantState
}

/** Milliseconds; null if the step was not reached. */
interface Timings {
  readonly warmMs: number | null
  /** Length of the pause by our clock: from the start of the quiesce request to the answer of the resume. */
  readonly pauseMs: number | null
  readonly predictedPauseMs: number | null
  /** How long the tenant was paused when a copy that took too long was abandoned; left out if none was. */
  readonly ranOutMs?: number
  readonly checkMs: number | null
  readonly totalMs: number
}

/** One reason to examine a file early. */
export interface Suspicion {
  readonly reason: SuspicionReason
  /** A clause that names what was seen. Text of the service in it is untrusted. */
  readonly text: string
}

/** From the strongest to the weakest (runs/triage/README.md). */
export const suspicionReasons = [
  'named-by-service',
  'known-damage',
  'left-by-crash',
  'written-before-crash',
  'open-at-crash',
  'never-checked',
  'checked-long-ago',
  'big',
] as const
export type SuspicionReason = (typeof suspicionReasons)[number]

/**
 * A second reading of a damaged snapshot from the disk. `direct`: past the page cache. `dropped`: the cache was told to
 * forget the file before. `not-possible`: `why` says what is missing.
 */
export interface SecondReading {
  readonly how: 'direct' | 'dropped' | 'not-possible'
  /** Pages that findings name and that were compared byte by byte. */
  readonly pages: number
  /** How many of them hold other bytes on the disk than in the page cache. */
  readonly differing: number
  /** Verdict of a second check of the whole file; null if it was not made: the file is large, or the check failed. */
  readonly verdict: VerdictWord | null
  readonly why?: string
}

/** A second snapshot of a file that a pinned one showed damaged. It was pinned later, by locks of its own. */
export interface SecondSnapshot {
  readonly verdict: VerdictWord
  readonly evidence: Evidence
  /** Number of findings of damage that both snapshots show. */
  readonly confirmed: number
  /** The first findings that only one of them shows, without their rows. */
  readonly unconfirmed: readonly { readonly in: 'first' | 'second'; readonly finding: Finding }[]
  readonly unconfirmedTotal: number
  /** Why there is no second snapshot, or why nothing was read of it; left out if it was read. */
  readonly failure?: ReportedFailure
}

export interface Result {
  /** The run that made this check; present if it was an earlier one, which this run continues. */
  readonly run?: string
  readonly tenant: TenantId | null
  readonly path: string
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly findings: readonly Finding[]
  readonly findingsTotal: number
  readonly remedy: Remedy
  readonly causes: readonly Cause[]
  readonly coverage: Coverage
  readonly content: {
    readonly tables: readonly ReportedTable[]
    /** Tables of the schema whose rows could not be counted; left out if there are none. */
    readonly uncounted?: readonly string[]
    /** Present if the census made the digests. */
    readonly basis?: ContentBasis
  }
  readonly evidence: Evidence
  /** Present if a WAL or a journal beside the file changed what was checked, or SQLite would delete it unread. */
  readonly recovery?: Recovery
  /** Present if a map was requested. */
  readonly map?: PageMap
  /**
   * Present for `failed`. For `inconclusive` it is present if the hold did not reach both proofs, or the file is not a
   * database. For `inconclusive` and `damaged` it is present if the service did not confirm the pause.
   */
  readonly failure?: ReportedFailure
  /** One sentence; present for `inconclusive`. */
  readonly reason?: string
  readonly timings: Timings
  readonly depth: CheckDepth
  /** Present at depth `sample`, if the range was read. */
  readonly sample?: ReportedSample
  /** Present if damage was found: whether a second reading, past the page cache, found it too. */
  readonly secondReading?: SecondReading
  /** Present if damage was found at level `pinned`. */
  readonly secondSnapshot?: SecondSnapshot
  /** What read the snapshot; null if nothing was read. */
  readonly readBy: { readonly engine: Engine; readonly sqlite: string; readonly confinement: readonly Wall[] } | null
  /** Why a triage suspected this file, the strongest reason first; empty if nothing spoke against it. */
  readonly suspicion?: readonly Suspicion[]
  /** What wrote the file last, from its header; null if the header has none. Present if the file was read. */
  readonly writtenBy?: { readonly sqlite: string } | null
}

/** An open hold that this run must not end, and what ends it. */
export interface NamedHold {
  readonly tenant: string
  readonly holder: string
  /** null if an older holdfast did not record it. */
  readonly service: string | null
  readonly via: 'admin-api' | 'hooks' | 'files' | null
  readonly said: string
  /** The command to type. */
  readonly next: string
}

/** A file that a run selected. */
export interface SelectedFile {
  /** null for a bare file. */
  readonly tenant: TenantId | null
  readonly path: string
}

export interface Summary {
  readonly selected: number
  readonly sound: number
  readonly damaged: number
  readonly inconclusive: number
  readonly failed: number
  /** Number of files that the run did not reach, for any reason. */
  readonly notCovered: number
  /** The first 10,000 of these files; left out if there are none. */
  readonly notReached?: readonly SelectedFile[]
  /** Number of files that were not due, because an earlier check still counts; left out if there are none. */
  readonly notDue?: number
  readonly exitCode: number
}

/** Why a run ended before it had checked all that it selected. `BUG`: a defect in holdfast, exit code 70. */
export type RunFailure = Omit<ReportedFailure, 'code'> & { readonly code: FailureCode | 'BUG' }

export interface Report {
  readonly schema: 'holdfast.report/1'
  readonly tool: { readonly version: string; readonly sqlite: string }
  readonly run: {
    readonly id: string
    readonly mode: 'check' | 'sweep' | 'pull' | 'triage'
    readonly startedAt: string
    readonly finishedAt: string
    /** `none` for bare files, otherwise `live` or `cached since …`. */
    readonly registry: string
    /** The incident that the run belongs to; null without one. Older reports do not have it. */
    readonly incident?: string | null
    /** Why the run was stopped; left out if it was not. Text reports print it first and in red. */
    readonly stopped?: string
    /** Open holds of the ledger that this service, reached in this way, must not end; left out if there are none. */
    readonly otherHolds?: readonly NamedHold[]
    /** Sentences about the run itself, such as that a backup could not be kept; left out if there are none. */
    readonly notices?: readonly string[]
  }
  readonly results: readonly Result[]
  /** Present if the run itself failed; `results` then has those that it reached, often none. */
  readonly failure?: RunFailure
  readonly summary: Summary
}
