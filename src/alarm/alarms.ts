/** What a run tells of itself so that alarms come of it. */

import type { Failure } from '../model/failure.ts'
import type { RemedyResult } from '../model/result/remedy.ts'
import type { Result, RunFailure } from '../model/result/report.ts'
import type { Absence } from '../report/status/absences.ts'
import type { OpenHoldOutcome } from '../runs/open-holds/open-holds.ts'

/** Numbers of files. */
export interface RunCounts {
  readonly selected: number
  /** Those that the run reached. */
  readonly covered: number
  /** Of those reached: the ones that are neither sound nor damaged, except for files that are gone. */
  readonly unsettled?: number
  /** Not selected, because an earlier check still counts. */
  readonly notDue?: number
}

/** How a run ended. */
export interface EndedRun {
  /** Null if the run failed before it had selected anything. */
  readonly counts: RunCounts | null
  /** True for a sweep of all tenants at full depth. */
  readonly whole: boolean
  /** Why the line was stopped; null if it was not. */
  readonly stopped: Failure | null
  /** Why the run itself failed; null if it did not. */
  readonly failure: RunFailure | null
}

/** What the ledger told at the end of a run. */
export interface LedgerFacts {
  readonly absences: readonly Absence[]
  /** Tenants whose hold stands open. */
  readonly held: readonly string[]
  /** Of the tenants that were asked about: those whose newest hold was seen to end, and when, in ms since 1970. */
  readonly served: ReadonlyMap<string, number>
  /** When the oldest run began that the ledger told of, in ms since 1970; null if it told of none. */
  readonly recordedSince: number | null
  /** True if there may be open holds that the ledger has lost. */
  readonly holdsLost: boolean
  /** True if another run works on the service: what it will make up for is not known yet. */
  readonly othersWork: boolean
}

/** The alarms of one run. Nothing here throws, waits for a sink, or changes a verdict. */
export interface RunAlarms {
  /** Considers a result. A tenant that may be paused is reported to the sinks immediately. */
  consider(result: Result): void
  /** Considers a result that takes the place of an earlier one of the same file. */
  revise(result: Result, before: Pick<Result, 'verdict' | 'failure'>): void
  /** Reports a damaged tenant to the sinks immediately: the first culprit of a triage. */
  culprit(result: Result): void
  considerRemedy(result: RemedyResult): void
  /** Considers how holds ended that an earlier run left open. */
  considerEndings(endings: readonly OpenHoldOutcome[]): void
  /** The run belongs to this incident from now on. */
  joinIncident(incident: string): void
  /**
   * Reads what the ledger knows at the end of the run, if there is a sink. Without this call the ledger is read anew.
   * @param read is asked about the tenants of earlier alarms that may be paused
   * @throws what `read` throws
   */
  learn(read: (paused: readonly string[]) => Promise<LedgerFacts>): Promise<void>
  /**
   * Sends the alarms of the run. Resolves after a few seconds at most, although sending may go on for longer.
   * @returns sentences for the report about alarms that did not arrive
   */
  end(ending: EndedRun): Promise<readonly string[]>
}
