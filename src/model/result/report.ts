/** The report: what a run says, one result per file (interfaces.md, JSON report). */
import type { TenantId } from '../brand.ts'
import type { FailureCode, TenantState } from '../failure.ts'
import type { Evidence } from './evidence.ts'
import type { Cause, DamageClass, Finding } from './finding.ts'
import type { PageMap } from './page-map.ts'
import type { Engine, Wall } from './reading.ts'
import type { Recovery } from './recovery.ts'
import type { Coverage, Remedy, ReportedTable, VerdictWord } from './verdict.ts'

export interface ReportedFailure {
  readonly code: FailureCode
  readonly message: string
  readonly hint: string
  readonly tenantState: TenantState
}

/** Milliseconds; null where the step was not reached. */
export interface Timings {
  readonly warmMs: number | null
  /** Length of the pause as holdfast saw it: from the start of the quiesce request to the answer of the resume. */
  readonly pauseMs: number | null
  readonly predictedPauseMs: number | null
  /** How long the tenant had stood still when its copy was given up for taking too long; left out where it was not. */
  readonly ranOutMs?: number
  readonly checkMs: number | null
  readonly totalMs: number
}

export interface Result {
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
    /** Tables of the schema whose rows could not be counted; left out where there is none. */
    readonly uncounted?: readonly string[]
  }
  readonly evidence: Evidence
  /** Present where a WAL or a journal beside the file changed what was checked, or would be deleted unread. */
  readonly recovery?: Recovery
  /** Present where a map was asked for. */
  readonly map?: PageMap
  /**
   * Present for `failed`; for `inconclusive` if the hold did not come to both proofs or the file is no database; and
   * for both `inconclusive` and `damaged` if the service did not confirm the pause.
   */
  readonly failure?: ReportedFailure
  /** One sentence; present for `inconclusive`. */
  readonly reason?: string
  readonly timings: Timings
  readonly depth: 'quick' | 'full'
  /** What read the snapshot; null where nothing was read. */
  readonly readBy: { readonly engine: Engine; readonly sqlite: string; readonly confinement: readonly Wall[] } | null
  /** What wrote the file last, as its header has it: null where it has none. Present where the file was read. */
  readonly writtenBy?: { readonly sqlite: string } | null
}

/** A hold that stands open and is left to others, and what ends it. */
export interface NamedHold {
  readonly tenant: string
  readonly holder: string
  /** null where an older holdfast did not write it down. */
  readonly service: string | null
  readonly via: 'admin-api' | 'hooks' | null
  readonly said: string
  /** The command to type. */
  readonly next: string
}

/** A file of a run, before anything is known of it. */
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
  /** Files that the run did not come to, whatever ended it. */
  readonly notCovered: number
  /** Which these are, the first 10,000 of them; left out where there is none. */
  readonly notReached?: readonly SelectedFile[]
  readonly exitCode: number
}

/** Why a run ended before it was done with what it selected. `BUG`: a defect in holdfast, exit code 70. */
export type RunFailure = Omit<ReportedFailure, 'code'> & { readonly code: FailureCode | 'BUG' }

export interface Report {
  readonly schema: 'holdfast.report/1'
  readonly tool: { readonly version: string; readonly sqlite: string }
  readonly run: {
    readonly id: string
    readonly mode: 'check' | 'sweep' | 'pull'
    readonly startedAt: string
    readonly finishedAt: string
    /** `none` for bare files, else `live` or `cached since …`. */
    readonly registry: string
    /** Why the line was stopped, when it was: the loudest thing that a run can say. */
    readonly stopped?: string
    /**
     * Holds that stand open in the ledger and were not this service's to end, or not in this way; left out where there
     * is none.
     */
    readonly otherHolds?: readonly NamedHold[]
  }
  readonly results: readonly Result[]
  /** Present when the run as such failed; `results` are then those that it had come to, often none. */
  readonly failure?: RunFailure
  readonly summary: Summary
}
