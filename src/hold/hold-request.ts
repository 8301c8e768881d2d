import type { Ledger } from '../ledger/ledger.ts'
/**
 * What is asked of a hold, and what it comes to. One hold takes all files of a tenant: one quiesce, one moment, one
 * resume.
 */
import type { TenantId } from '../model/brand.ts'
import type { Failure } from '../model/failure.ts'
import type { SealLevel } from '../model/result/evidence.ts'
import type { NonEmpty } from '../model/result/verdict.ts'
import type { Service } from '../service/port.ts'
import type { FileKind } from './file-kind.ts'
import type { PauseLimits } from './pause/pause.ts'
import type { HoldRecord, HoldStep } from './record.ts'
import type { Snapshot } from './snapshot/draft.ts'

/** Who keeps the tenant still for us; `nobody` for bare files, where the seal alone decides. */
export type TenantKeeper =
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'service'
      readonly tenant: TenantId
      readonly service: Service
      readonly ledger: Ledger
      readonly socket: string | null
    }

export interface HoldSettings extends PauseLimits {
  /** The weakest seal that is accepted. */
  readonly require: SealLevel
  readonly warmAboveBytes: number
  readonly trustMounts: readonly string[]
}

/** What one hold may take while there are others. */
export interface HoldBounds {
  /** Bytes of the snapshots that others have, or are about to have. */
  readonly othersBytes: () => number
  /** Asks for room on the disk for so many bytes of snapshots: null where there is, else the wait for it. */
  readonly reserve: (bytes: number) => Promise<void> | null
  /** Runs the part during which the tenant stands still; bounds how many do at once. */
  readonly inPause: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/** For a hold that has no others beside it. */
export const unbounded: HoldBounds = { othersBytes: () => 0, reserve: () => null, inPause: (work) => work() }

/** One database file of the tenant. */
export interface FileRequest {
  /** The main database file, as the service or a person named it. */
  readonly named: string
  /** True if the file must be a database. A file that is not one is then held and reported as damaged. */
  readonly expected: boolean
  /**
   * How long, in ms, the tenant stood still when the last hold was given up because the copy took too long. Null if it
   * was not given up.
   */
  readonly lostPauseMs: number | null
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
  readonly keeper: TenantKeeper
  readonly settings: HoldSettings
  /** Private folder for snapshots. */
  readonly folder: string
  readonly bounds: HoldBounds
}

/** What became of one file. */
export type Held =
  /**
   * `written` resolves when the ledger has the end of the hold. The caller that goes on with the snapshot waits for it
   * at the end. `unproven`: both proofs were there, and afterwards the service did not confirm the pause, because it
   * died or for another reason; null where it did.
   */
  | {
      readonly kind: 'snapshot'
      readonly snapshot: Snapshot
      readonly file: FileKind
      readonly record: HoldRecord
      readonly written: Promise<void>
      readonly unproven: Failure | null
    }
  /** Refused outright: the file was in no pause (`failed`). */
  | { readonly kind: 'refused'; readonly failure: Failure; readonly record: HoldRecord }
  /** Begun, and not come to both proofs (`inconclusive`). */
  | { readonly kind: 'undecided'; readonly failure: Failure; readonly record: HoldRecord }
