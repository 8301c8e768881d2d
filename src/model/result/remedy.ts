/** A remedy that was planned, rehearsed and maybe applied: the results of `repair`, `restore` and `salvage`. */

import type { TenantId } from '../brand.ts'
import type { AccountSummary } from './account.ts'
import type { DamageClass, RowKey } from './finding.ts'
import type { NamedHold, ReportedFailure, Result, RunFailure } from './report.ts'
import type { VerdictWord } from './verdict.ts'

/** What a plan does. `ask`: a person decides. `undo`: an earlier change is taken back. */
export type RemedyKind = 'nothing' | 'rebuild' | 'rewrite' | 'restore' | 'salvage' | 'ask' | 'undo'

/** `swap`: a new file takes the name of the old one. `in-place`: the old file is overwritten. */
export const changeMethods = ['swap', 'in-place'] as const
export type ChangeMethod = (typeof changeMethods)[number]

/** Rows of one table, before and after the remedy. Counts that are not known are null. */
export interface TableLoss {
  readonly table: string
  readonly inBoth: number | null
  /**
   * In the live file, not in the result. Unreadable rows that do not come back are among them. It is the least number
   * then, because a row that comes back may have been deleted.
   */
  readonly lost: number | null
  /** In both, with other values in the result. */
  readonly changed: number | null
  /** Not readable in the live file, back in the result. */
  readonly recovered: number | null
  /** Rows of the live file that cannot be read. */
  readonly unreadable: number | null
  /** Rows of the result that an index contradicts; left out if there are none. */
  readonly doubted?: number
  /** The first 20 keys of lost, changed, unreadable and doubted rows. */
  readonly keys: readonly RowKey[]
  readonly keysTotal: number | null
}

/** Of rows of which nothing is known. @param table or what else was lost */
export const unknownLoss = (table: string): TableLoss => ({
  table,
  inBoth: null,
  lost: null,
  changed: null,
  recovered: null,
  unreadable: null,
  keys: [],
  keysTotal: null,
})

/** The backup that a plan restores. Times as in ISO 8601. */
export interface ChosenBackup {
  readonly id: string
  readonly takenAt: string
  /** Present if `takenAt` is only the latest possible time. */
  readonly takenAtLatest?: true
  /** Of the database file, uncompressed; lower-case hex. */
  readonly sha256: string
  /** When it was last found sound; null if it never was. */
  readonly verifiedAt: string | null
}

export interface RemedyPlan {
  readonly do: RemedyKind
  /** Indexes and full-text tables to rebuild; empty for other plans. */
  readonly objects: readonly string[]
  readonly backup: ChosenBackup | null
  readonly method: ChangeMethod
  /** Null if nothing is changed, or for a bare file. */
  readonly predictedPauseMs: number | null
  /** Disk space for the kept original, the new file and the copies; null if nothing is changed. */
  readonly needsBytes: number | null
  /** Empty if nothing is lost. If nothing is known: one with null for each known table, and one for the others. */
  readonly losses: readonly TableLoss[]
  /** The command that puts the original back; null if nothing is changed. */
  readonly undo: string | null
  /** One sentence. */
  readonly why: string
  /** The command to type next; null if there is nothing to do. */
  readonly command: string | null
}

/** The remedy carried out on a copy, which was then checked wholly. */
export interface Rehearsal {
  readonly verdict: VerdictWord
  /** True if every table has the content that it had before; false for a restore that changes rows. */
  readonly contentSame: boolean
  readonly ms: number
}

/** What a change did to the live set. */
export interface AppliedChange {
  readonly change: string
  readonly at: string
  readonly method: ChangeMethod
  /** Null for a bare file. */
  readonly pauseMs: number | null
  /** Of a fresh snapshot, checked after the change. */
  readonly verdict: VerdictWord
  /** Whether the tenant was seen serving and healthy; null for a bare file. */
  readonly healthy: boolean | null
  /** The main file of the kept original; for `salvage`, the new file. */
  readonly original: string
}

/** A plan that the ledger has. Without --apply it is that of this run, with --apply the newest one before. */
export interface PlannedRemedy {
  readonly id: string
  /** When it was rehearsed, ISO 8601. */
  readonly at: string
  /** Whether the file is still what the plan was rehearsed on. */
  readonly same: boolean
}

export interface TakenBackChange {
  readonly change: string
  /** Of a fresh snapshot after the change, before it was undone; null if none was checked. */
  readonly verdict: VerdictWord | null
}

export interface RemedyResult {
  readonly tenant: TenantId | null
  readonly path: string
  readonly before: { readonly verdict: VerdictWord; readonly damage: DamageClass; readonly findingsTotal: number }
  readonly plan: RemedyPlan
  /** Left out if the ledger has none, and for a bare file. */
  readonly planned?: PlannedRemedy
  /** Null if nothing could be rehearsed. */
  readonly rehearsal: Rehearsal | null
  /** Null if nothing was changed. */
  readonly applied: AppliedChange | null
  /** A change that was made and undone in a second pause; left out if there was none. */
  readonly takenBack?: TakenBackChange
  /** Path of the account of all rows (account.schema.json); null if there is none. */
  readonly account: string | null
  readonly failure: ReportedFailure | null
}

/** A result, and what the text says besides. */
export interface RemedyOutcome {
  readonly result: RemedyResult
  /** The check that the plan rests on; null if the file was not checked. */
  readonly check: Result | null
  /** The sums and first keys of the account; null if there is none. */
  readonly account: AccountSummary | null
}

export interface RemedySummary {
  readonly selected: number
  /** Rehearsed and sound, not applied. */
  readonly ready: number
  readonly applied: number
  readonly nothing: number
  readonly ask: number
  readonly failed: number
  readonly exitCode: number
}

/** The document of `repair --json`, `restore --json` and `salvage --json` (remedy.schema.json). */
export interface RemedyReport {
  readonly schema: 'holdfast.remedy/1'
  readonly tool: { readonly version: string; readonly sqlite: string }
  readonly run: {
    readonly id: string
    readonly mode: 'repair' | 'restore' | 'salvage'
    readonly startedAt: string
    readonly finishedAt: string
    /** `none` for bare files, otherwise `live` or `cached since …`. */
    readonly registry: string
    /** The incident that the run belongs to; null without one. Older reports do not have it. */
    readonly incident?: string | null
    /** Why the run was stopped; left out if it was not. */
    readonly stopped?: string
    /** Sentences about the run itself; left out if there are none. */
    readonly notices?: readonly string[]
    /** Open holds of the ledger that this run must not end; left out if there are none. */
    readonly otherHolds?: readonly NamedHold[]
  }
  readonly results: readonly RemedyResult[]
  /** Present if the run itself failed; `results` then has those that it reached, often none. */
  readonly failure?: RunFailure
  readonly summary: RemedySummary
}
