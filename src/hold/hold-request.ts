/**
 * What a hold is asked for, and what becomes of it. One hold takes all files of a tenant: one quiesce, one moment, one
 * resume.
 */
import type { Ledger } from '../ledger/ledger.ts'
import type { TenantId } from '../model/brand.ts'
import type { Failure } from '../model/failure.ts'
import type { SealLevel } from '../model/result/evidence.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import type { Service } from '../service/port.ts'
import type { FileKind } from './file-kind.ts'
import type { PauseLimits } from './pause/pause-limits.ts'
import type { PausePermit } from './pause/pause-permit.ts'
import type { HoldRecord, HoldStep } from './record.ts'
import type { Snapshot } from './snapshot/draft.ts'

/** A tenant, the service that quiesces and resumes it, and the ledger that records both. */
export interface TenantConnection {
  readonly tenant: TenantId
  readonly service: Service
  readonly ledger: Ledger
  /** The service's admin socket, by which its processes are recognised; null if it has none. */
  readonly socket: string | null
  /** Must be asked before the tenant is paused; null if there is no such limit. */
  readonly permit: PausePermit | null
  /** Called as soon as a resume of the tenant has failed and will be tried again. */
  readonly onRetry: (why: Error) => void
}

/** Limits of a snapshot that is taken beside programs which write (hold/pinned/README.md). */
export interface LiveLimits {
  /** How long to wait for our place among SQLite's locks. */
  readonly pinWaitMs: number
  /** How long the locks may stand. */
  readonly maxPinMs: number
  /** How much the WAL may grow while they stand. */
  readonly maxWalGrowthBytes: number
  /** How long a writer of a rollback-journal database may have to wait. */
  readonly maxWriterWaitMs: number
}

export interface HoldSettings extends PauseLimits {
  /** The weakest seal that is accepted. */
  readonly require: SealLevel
  /** A tenant with more bytes than this is copied before the pause, as far as that is possible. */
  readonly warmAboveBytes: number
  /** Mount points whose locks the configuration trusts, whatever their type. */
  readonly trustMounts: readonly string[]
  readonly live: LiveLimits
}

/** What one hold may use while other holds run beside it. */
export interface HoldBounds {
  /** Bytes on the disk that other snapshots use, or have reserved. */
  readonly othersBytes: () => number
  /**
   * Reserves so many bytes on the disk for all snapshots of this hold: a second call replaces the first. The caller of
   * the hold releases them.
   * @returns null if they are reserved now, else a promise that resolves when there may be space
   */
  readonly reserve: (bytes: number) => Promise<void> | null
  /**
   * Waits for a pause slot, runs `work` in it, and releases the slot. The slots bound how many tenants are paused. The
   * work need not pause one.
   */
  readonly inPauseSlot: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/** For a hold that runs alone. */
export const unbounded: HoldBounds = { othersBytes: () => 0, reserve: () => null, inPauseSlot: (work) => work() }

/** One database file of the tenant. */
export interface FileRequest {
  /** The main database file, as the service or a person named it. */
  readonly named: string
  /** True if the file must be a database. A file that is not one is then held and reported as damaged. */
  readonly expected: boolean
  /**
   * How long the tenant had been paused, in ms, when the last hold was abandoned because the copy took too long. Null
   * if it was not abandoned.
   */
  readonly abandonedPauseMs: number | null
  /** Name of the draft, and of the snapshot that it becomes: unique in the snapshot folder. */
  readonly name: string
  /** Called after each step, for the log. */
  readonly onStep: (step: HoldStep) => void
}

export interface HoldRequest {
  /** All files of the tenant, or the one bare file. */
  readonly files: NonEmpty<FileRequest>
  /** Folders that the files must lie in; null for bare files. */
  readonly roots: readonly string[] | null
  /** Null for bare files: no service owns them, and the seal alone decides. */
  readonly connection: TenantConnection | null
  readonly settings: HoldSettings
  /** Private folder for snapshots. */
  readonly folder: string
  readonly bounds: HoldBounds
  /** True for a change in place: a main file that is mounted by itself is accepted. Default: false. */
  readonly acceptMounted?: boolean
  /**
   * True for the second snapshot of level `pinned`, which confirms damage: the main file is synced before it is pinned.
   * A store into a page that was dirty already then shows in the times of the file. Default: false.
   */
  readonly confirming?: boolean
}

/** What became of one file. */
export type HoldResult =
  | {
      readonly kind: 'snapshot'
      readonly snapshot: Snapshot
      readonly file: FileKind
      readonly record: HoldRecord
      /** Resolves when the end of the hold is in the ledger. The caller awaits it last, after the check. */
      readonly written: Promise<void>
      /**
       * Why the service did not confirm the pause, although the copy has both proofs: it died, or refused the resume.
       * Null if it confirmed the pause.
       */
      readonly unconfirmed: Failure | null
    }
  /** The hold ended before the tenant was paused, or before the bare file was sealed. Verdict: `failed`. */
  | { readonly kind: 'refused'; readonly failure: Failure; readonly record: HoldRecord }
  /**
   * The hold ended after that without both proofs, or before it with a failure of `undecidedBeforePause`. Verdict:
   * `inconclusive`.
   */
  | { readonly kind: 'undecided'; readonly failure: Failure; readonly record: HoldRecord }
