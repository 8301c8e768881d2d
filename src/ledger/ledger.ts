/**
 * holdfast's memory: events, written before and after each deed, and what can be read from them (operations.md,
 * "Ledger").
 */

import { systemFailure } from '../host/failures/system-failure.ts'
import type { RunId, TenantId } from '../model/brand.ts'
import type { Event, OpenHold } from '../model/event.ts'
import type { FailureCode } from '../model/failure.ts'
import type { SealLevel } from '../model/result/evidence.ts'
import type { DamageClass } from '../model/result/finding.ts'
import type { KnownFile, LastGood } from '../model/result/last-good.ts'
import type { VerdictWord } from '../model/result/verdict.ts'
import type { OtherHold, ServiceWay } from '../model/service-way.ts'
import { inspectFolder, ofLedger, prepareFolder } from './folder.ts'
import { LedgerProcess } from './ledger-process.ts'
import { runsWereRecorded } from './note.ts'
import { noPauses } from './process/pause-totals.ts'

export interface LedgerLine {
  /** Grows by one a line. */
  readonly sequence: number
  /** ms since 1970. */
  readonly at: number
  readonly run: string
  readonly event: Event
}

export interface NewestLines {
  readonly lines: readonly LedgerLine[]
  /** Are there older ones, left out for the limit or because an answer is bounded? */
  readonly more: boolean
}

/** What a check of one file said. */
export interface RecordedCheck {
  readonly at: number
  readonly run: string
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly level: SealLevel
  readonly depth: 'quick' | 'full'
  /** From the last proof of the hold; null where there was none. */
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
   * The newest check that settles something: a full one that came out sound, or any that found damage. A quick check
   * neither refreshes a full one nor clears damage. null: there was none yet.
   */
  readonly settled: RecordedCheck | null
}

/** What of the newest check of a file matters to the next one. */
export interface NewestCheck {
  /**
   * How long, in ms, the tenant had stood still when its hold was given up because its copy took too long; null where
   * it was not.
   */
  readonly abandonedPauseMs: number | null
  /** Did the file hold pages, then or when a check last settled something? */
  readonly hadPages: boolean
}

/**
 * One run; `finished` is null for a run that is going on or was killed. `whole`: it was a sweep of everything at full
 * depth.
 */
export interface RecordedRun {
  readonly run: string
  readonly mode: string
  readonly version: string
  readonly startedAt: number
  readonly finished: {
    readonly at: number
    readonly exitCode: number
    readonly selected: number
    readonly covered: number
    readonly whole: boolean
  } | null
}

/**
 * How long tenants stood still, in all holds since this ledger adds them up. Only grows, but for a ledger that was
 * begun anew.
 */
export interface PauseTotals {
  readonly count: number
  readonly totalMs: number
  /** `count`: pauses of at most so many ms. Shortest bound first; longer pauses are in the count of all alone. */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[]
}

/** Reading the ledger. Each answer is bounded. @throws {Failure} LEDGER_UNUSABLE */
export interface LedgerReading extends AsyncDisposable {
  /**
   * What has to be said about the ledger itself (damage, lines that could not be read); null when all is well. May come
   * late: look at the end too.
   */
  readonly notice: string | null
  /** Whether holds may stand open that this ledger no longer knows: it was lost, or damaged where they stood. */
  readonly holdsLost: boolean
  /** Holds that this service was asked for in this way and that nobody has seen ended, oldest first. */
  openHolds(): Promise<readonly OpenHold[]>
  /**
   * All others that nobody has seen ended: of another service, reached in another way, or written by a holdfast that
   * did not say.
   */
  otherHolds(): Promise<readonly OtherHold[]>
  /**
   * The newest check of each file of each tenant, and the newest one that settles something. What another way of
   * reaching the service found counts as `process/last-results.ts` says; `notice` names that way.
   */
  lastResults(): Promise<readonly LastResult[]>
  /** Newest first; of all tenants of the service for null. */
  history(tenant: TenantId | null, limit: number): Promise<readonly LedgerLine[]>
  /** The lines of checks alone, in whatever way the service was reached; newest first. Of all its tenants for null. */
  checks(tenant: TenantId | null, limit: number): Promise<NewestLines>
  /** Newest first. */
  lastRuns(limit: number): Promise<readonly RecordedRun[]>
  /** Of all holds of the service whose length is known. */
  pauseTotals(): Promise<PauseTotals>
}

export interface Ledger extends LedgerReading {
  /**
   * Resolves once the event is on the disk. Events that come while one commit runs are committed together.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  append(event: Event): Promise<void>
  /**
   * The same without a commit of its own: it goes with the next one, or after 50 ms. For what nobody else waits for.
   */
  appendSoon(event: Event): Promise<void>
  /**
   * Puts it in the place of what was kept of the same file. What is asked together with an `append` is on the disk
   * together with it.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  storeLastGood(lastGood: Omit<LastGood, 'run'>): Promise<void>
  /**
   * What was kept of each of these files; null where nothing was, or it cannot be read.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  lastGood(files: readonly KnownFile[]): Promise<readonly (LastGood | null)[]>
  /**
   * What the newest check of each of these files says for the next one; null where there was none. Of tenants only.
   * @throws {Failure} LEDGER_UNUSABLE
   */
  newestChecks(files: readonly KnownFile[]): Promise<readonly (NewestCheck | null)[]>
}

/**
 * Opens the ledger for writing, making folder and file when there are none. A damaged ledger is set aside and a new one
 * begun, which `notice` says. The caller holds the run lock. @throws {Failure} LEDGER_UNUSABLE
 * @param way whose lines are written and read; null for bare files, which no service keeps
 */
export async function openLedger(dir: string, run: RunId, way: ServiceWay | null = null): Promise<Ledger> {
  await prepareFolder(dir)
  return started(new LedgerProcess(dir, 'write', run, way))
}

/**
 * The same, to resume what stands open: a damaged ledger whose open holds cannot be read stays where it is.
 * @throws {Failure} LEDGER_UNUSABLE
 */
export async function openLedgerToResume(dir: string, run: RunId, way: ServiceWay): Promise<Ledger> {
  await prepareFolder(dir)
  return started(new LedgerProcess(dir, 'resume', run, way))
}

/**
 * Opens the ledger for reading while a run may be writing. Creates nothing: where there is no ledger yet, there is
 * nothing to tell, and `notice` says so. @throws {Failure} LEDGER_UNUSABLE, also when it is damaged
 */
export async function readLedger(dir: string, way: ServiceWay | null = null): Promise<LedgerReading> {
  if ((await inspectFolder(dir)) === 'empty') return emptyLedger(dir, wereRecorded(dir))
  return started(new LedgerProcess(dir, 'read', null, way))
}

/** @throws {Failure} LEDGER_UNUSABLE */
function wereRecorded(dir: string): boolean {
  try {
    return runsWereRecorded(dir)
  } catch (error) {
    throw systemFailure(error, { doing: "look into the ledger's folder", path: dir, ...ofLedger })
  }
}

async function started(ledger: LedgerProcess): Promise<Ledger> {
  try {
    await ledger.open()
    return ledger
  } catch (error) {
    await ledger[Symbol.asyncDispose]()
    throw error
  }
}

const emptyLedger = (dir: string, isGone: boolean): LedgerReading => ({
  notice: isGone
    ? `the ledger in ${dir} is gone, though runs were recorded in it`
    : `there is no ledger in ${dir} yet: no run was ever recorded there`,
  holdsLost: isGone,
  openHolds: () => Promise.resolve([]),
  otherHolds: () => Promise.resolve([]),
  lastResults: () => Promise.resolve([]),
  history: () => Promise.resolve([]),
  checks: () => Promise.resolve({ lines: [], more: false }),
  lastRuns: () => Promise.resolve([]),
  pauseTotals: () => Promise.resolve(noPauses),
  [Symbol.asyncDispose]: () => Promise.resolve(),
})
