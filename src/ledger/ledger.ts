/**
 * The ledger: events that are written before and after each step, and what can be read from them. README.md has the
 * rules.
 */

import type { IncidentId, TenantId } from '../model/brand.ts'
import type { BackupSurvey, Event, FleetPart, OpenHold, RegistrySource, SweepScope } from '../model/event.ts'
import type { FailureCode } from '../model/failure.ts'
import type { SealLevel } from '../model/result/evidence.ts'
import type { DamageClass } from '../model/result/finding.ts'
import type { KnownFile, LastGood, SchemaOutliers } from '../model/result/last-good.ts'
import type { CheckDepth } from '../model/result/reading.ts'
import type { SampleRound } from '../model/result/sample.ts'
import type { VerdictWord } from '../model/result/verdict.ts'
import type { OtherHold } from '../model/service-way.ts'

export interface LedgerLine {
  /** One higher for each line. */
  readonly sequence: number
  /** ms since 1970. */
  readonly at: number
  readonly run: string
  readonly event: Event
}

export interface NewestLines {
  readonly lines: readonly LedgerLine[]
  /** True if older ones were left out: for the limit, or because an answer is bounded. */
  readonly more: boolean
}

/** One check of one file. */
export interface RecordedCheck {
  readonly at: number
  readonly run: string
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: CheckDepth
  /** From the last proof of the hold; null if there was none. */
  readonly changeCounter: number | null
  /** Bytes of the main database file at that proof. */
  readonly size: number | null
  readonly walSalts: string | null
  readonly pauseMs: number | null
}

/** The newest check of one file. */
export interface LastResult extends RecordedCheck {
  readonly tenant: TenantId
  readonly path: string
  readonly failure: FailureCode | null
  /**
   * The newest check that settles something: a full one that was sound, or any that found damage. A quick check neither
   * refreshes a full one nor clears damage. Null if there was none yet.
   */
  readonly settled: RecordedCheck | null
  /** What the live set looked like at the last proof of `settled` (`liveSetMark`); null if that is not known. */
  readonly settledMark: string | null
}

/**
 * Quiet files: the newest check was sound, and so was the one that settles the file. `fresh`: it was settled since the
 * time that was asked for. `pinned`: as many of them have a newest check at level `pinned`. `oldestAt`: when the oldest
 * of them was settled, in ms since 1970; null for none.
 */
export interface QuietFiles {
  readonly fresh: number
  readonly stale: number
  readonly pinned: number
  readonly oldestAt: number | null
}

/** The newest results of all files, of which most are only counted. */
export interface NotableResults {
  /** Of all files that are not quiet, and of the first few quiet ones of each kind; in the order of `lastResults`. */
  readonly results: readonly LastResult[]
  /** The quiet files that are not among them. */
  readonly others: QuietFiles
}

/** The newest results of all files, to be read one after the other, and the notable ones among them. */
export interface AllResults {
  /** Each time it is read, it begins anew. */
  readonly all: Iterable<LastResult>
  readonly notable: NotableResults
}

/** What the next check of a file needs to know of the newest one. */
export interface NewestCheck {
  /**
   * How long, in ms, the tenant stood still when the hold was abandoned because the copy took too long. Null if it was
   * not abandoned.
   */
  readonly abandonedPauseMs: number | null
  /** True if the file held pages, then or when a check last settled something. */
  readonly hadPages: boolean
  /** Damage that no full check has cleared since; null if there is none. `at` in ms since 1970. */
  readonly standingDamage: StandingDamage | null
}

export interface StandingDamage {
  readonly at: number
  readonly damage: DamageClass
}

/**
 * One run. `finished` is null for a run that goes on or was killed. `whole` is true for a sweep of all tenants at full
 * depth.
 */
export interface RecordedRun {
  readonly run: string
  readonly mode: string
  readonly version: string
  readonly startedAt: number
  /** The incident that it belongs to; null without one. */
  readonly incident: IncidentId | null
  readonly finished: {
    readonly at: number
    readonly exitCode: number
    readonly selected: number
    readonly covered: number
    readonly whole: boolean
    /** null if the run did not look at the backups. */
    readonly backups: BackupSurvey | null
    /** Files that a sweep left out because an earlier check of them still counts. They are not in `selected`. */
    readonly notDue: number
    /** The sign of harm that stopped it; left out without one. */
    readonly harm?: string
  } | null
}

/** A run on this machine that did a part of a run of the fleet. */
export interface LocalFleetRun extends FleetPart {
  readonly local: string
}

/** One sweep, from the moment when it knew its tenants. */
export interface RecordedSweep extends SweepScope {
  readonly run: string
  readonly at: number
  readonly selected: number
  readonly notDue: number
  readonly finished: RecordedRun['finished']
}

/**
 * How long tenants were paused, in all holds since the ledger began to add them up. It only grows, unless a new ledger
 * is begun.
 */
export interface PauseTotals {
  readonly count: number
  readonly totalMs: number
  /**
   * `count`: pauses of at most `upToMs`. Shortest first. Pauses beyond the longest bound are in the total count only.
   */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[]
  /** Leases that ended by themselves while a tenant was held. */
  readonly leasesExpired: number
}

/** Which list of tenants the newest run that asked for one has worked with. `at` in ms since 1970. */
export type RecordedRegistry = RegistrySource & { readonly at: number; readonly run: string }

/** Reading the ledger. Each answer is bounded. @throws {Failure} LEDGER_UNUSABLE */
export interface LedgerReader extends AsyncDisposable {
  /**
   * Sentences about the ledger itself, such as damage or lines that could not be read; null if there is nothing to say.
   * Later questions may add to it, so it must be read at the end too.
   */
  readonly notice: string | null
  /** True if there may be open holds that this ledger does not know: it was lost, or damaged in that place. */
  readonly holdsLost: boolean
  /** Holds of this service, asked for in this way, whose end was not seen. Oldest first. */
  openHolds(): Promise<readonly OpenHold[]>
  /**
   * All other holds whose end was not seen. They are of another service, asked for in another way, or written by an
   * older holdfast that recorded neither.
   */
  otherHolds(): Promise<readonly OtherHold[]>
  /**
   * The newest check of each file of each tenant, and the newest one that settles something. What another way of
   * reaching the service found counts as `process/last-results.ts` says; `notice` names that way.
   */
  lastResults(): Promise<readonly LastResult[]>
  /**
   * The same for a reader that lists only what is notable: with 100,000 files all results take a second.
   * @param since ms since 1970 @param now ms since 1970; a file that was settled later than that is not quiet
   */
  notableResults(since: number, now: number): Promise<NotableResults>
  /** Both together, for a reader that passes all of them on. */
  allResults(since: number, now: number): Promise<AllResults>
  /** All lines, newest first. `tenant` null: of all tenants of the service. */
  history(tenant: TenantId | null, limit: number): Promise<readonly LedgerLine[]>
  /**
   * The lines of checks and of changes, in all ways of reaching the service; newest first. `tenant` null: of all its
   * tenants.
   */
  checks(tenant: TenantId | null, limit: number): Promise<NewestLines>
  /** The lines of one run, the newest first, whatever its service. */
  runLines(run: string, limit: number): Promise<NewestLines>
  /**
   * Newest first.
   * @param limit at most 1,000. If there are so many, older full sweeps and runs that suspected harm follow them
   */
  lastRuns(limit: number): Promise<readonly RecordedRun[]>
  /** All runs of the service that did a part of a run of the fleet, the oldest first. */
  fleetRuns(): Promise<readonly LocalFleetRun[]>
  /** The newest sweep that knew its tenants; null if there was none. */
  lastSweep(): Promise<RecordedSweep | null>
  /** Of all holds of the service whose length is known. */
  pauseTotals(): Promise<PauseTotals>
  /** null if no run has asked the service for its list of tenants yet. */
  lastRegistry(): Promise<RecordedRegistry | null>
  /** The last sound check of each of these files; null if there was none, or if it cannot be read. */
  lastGood(files: readonly KnownFile[]): Promise<readonly (LastGood | null)[]>
}

export interface Ledger extends LedgerReader {
  /**
   * Resolves when the event is on the disk. Events that come during a commit are committed together.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  append(event: Event): Promise<void>
  /**
   * The same without a commit of its own: it goes with the next one, or after 50 ms. For events that nothing waits for.
   */
  appendSoon(event: Event): Promise<void>
  /**
   * Removes lines that nothing needs any more (README.md), for about so many ms. Other questions wait meanwhile.
   * @returns true if more is to be done
   * @throws {Failure} LEDGER_UNUSABLE
   */
  compact(workMs: number): Promise<boolean>
  /**
   * Replaces what is stored of the last sound check of this file. If it is called together with `append`, both are
   * committed together.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  storeLastGood(lastGood: Omit<LastGood, 'run'>): Promise<void>
  /** Replaces what is stored of the samples of this file. @throws {Failure} LEDGER_UNUSABLE */
  storeRound(round: SampleRound): Promise<void>
  /** The present round of samples of a file; null if there is none. @throws {Failure} LEDGER_UNUSABLE */
  sampleRound(file: KnownFile): Promise<SampleRound | null>
  /**
   * Files of the service whose schema is not that of most tenants, by their last sound checks.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  schemaOutliers(): Promise<SchemaOutliers>
  /**
   * What the next check needs to know of the newest one, for each of these files; null if there was none, and for bare
   * files.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  newestChecks(files: readonly KnownFile[]): Promise<readonly (NewestCheck | null)[]>
}
