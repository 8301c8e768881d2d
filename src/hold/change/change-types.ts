/** What a change of a live set is asked for, and what becomes of it. One change takes all files of a tenant. */
import type { ChangeId, LivePath, RunId, SnapshotPath, TenantId } from '../../model/brand.ts'
import type { Failure } from '../../model/failure.ts'
import type { Proof } from '../../model/result/evidence.ts'
import type { ChangeMethod, RemedyKind } from '../../model/result/remedy.ts'
import type { NonEmpty } from '../../model/result/verdict.ts'
import type { FileRequest, HoldRequest } from '../hold-request.ts'
import type { HoldRecord } from '../record.ts'
import type { Snapshot } from '../snapshot/draft.ts'
import type { ChangeRecord } from './record/change-record.ts'

/**
 * Where originals are kept. `quarantine`: a folder for each change below this one. `beside`: beside the bare file, as
 * `app.db.original-CHANGE`.
 */
export type OriginalsLocation =
  | { readonly kind: 'quarantine'; readonly folder: string }
  | { readonly kind: 'beside'; readonly file: string }

/** What the record of a change says about it, besides its files. */
export interface ChangeDescription {
  readonly change: ChangeId
  readonly run: RunId
  /** Of holdfast. */
  readonly version: string
  /** Null for a bare file. */
  readonly tenant: TenantId | null
  readonly remedy: RemedyKind
}

/** A snapshot that no check has read yet, or that had no WAL and no journal: then a check changes none of its bytes. */
export interface OriginalFile {
  /** The live file, as the service or a person named it. */
  readonly named: string
  readonly snapshot: Pick<Snapshot, 'path' | 'files'>
}

/**
 * The original of a change, on the disk byte for byte. Disposing of it deletes it, unless a change of the live set has
 * begun: from then on holdfast never deletes it.
 */
export interface KeptOriginal extends AsyncDisposable {
  readonly about: ChangeDescription
  readonly place: OriginalsLocation
  /** Path of the record. */
  readonly record: string
  readonly files: NonEmpty<{
    readonly path: LivePath
    /** The main file of the kept set. */
    readonly original: string
  }>
}

/** A private copy of ours: one plain file, without a WAL or a journal. */
export interface RehearsedCopy {
  /** What SQLite makes of the original: the snapshot after its check. */
  readonly settled: SnapshotPath
  /** The result of the remedy, checked wholly, in the journal mode that the live file has. */
  readonly mended: SnapshotPath
}

export interface ChangeFile extends FileRequest, RehearsedCopy {
  /** The last proof of the hold that took the snapshot. */
  readonly proof: Proof
}

/** A snapshot that was taken inside the pause, because the live set was no longer what was rehearsed. */
export interface RetakenSnapshot {
  readonly path: LivePath
  readonly snapshot: Snapshot
}

/**
 * Checks, mends and rehearses anew, while the tenant stands still. The original is kept anew before it is called.
 * @returns one for each file, in their order; null if the plan would be another one now
 */
export type Remake = (taken: NonEmpty<RetakenSnapshot>, signal: AbortSignal) => Promise<NonEmpty<RehearsedCopy> | null>

export interface ChangeRequest extends Omit<HoldRequest, 'files'> {
  /** In the order of `original.files`. */
  readonly files: NonEmpty<ChangeFile>
  readonly original: KeptOriginal
  readonly method: ChangeMethod
  /** `ms`: how long check, mending and rehearsal took outside of the pause. Null: never inside the pause. */
  readonly remake: { readonly ms: number; readonly work: Remake } | null
}

export type ChangeOutcome =
  | {
      readonly kind: 'applied'
      readonly method: ChangeMethod
      /** ISO 8601. */
      readonly at: string
      /** Null for a bare file. */
      readonly pauseMs: number | null
      /** True if the live set had to be mended anew inside the pause. */
      readonly remade: boolean
      /**
       * The change stands on the disk, but the service did not confirm the pause, or was not seen serving after it. Or
       * something broke off when the content already stood. This says why. RESUME_FAILED: the tenant may be paused.
       * Null if the tenant serves.
       */
      readonly unconfirmed: Failure | null
      readonly record: HoldRecord
      /** Resolves when the ledger has the end of the hold and of the change. */
      readonly written: Promise<void>
    }
  /**
   * The live set is, byte for byte or as SQLite reads it, what it was. REMEDY_STALE: it is no longer what was
   * rehearsed; the caller may try the whole again.
   */
  | { readonly kind: 'unchanged'; readonly failure: Failure; readonly record: HoldRecord }

/** A change that was found by its record. */
export interface FoundChange {
  readonly place: OriginalsLocation
  /** Path of the record. */
  readonly file: string
  readonly record: ChangeRecord
}

export interface UndoRequest extends Omit<HoldRequest, 'files'> {
  readonly change: FoundChange
  readonly onStep: FileRequest['onStep']
}

/** What the next run made of a change that a dead run left half done. */
export interface RecoveredChange {
  readonly found: FoundChange
  /** What stands on the disk. `unclear`: something else replaced the file meanwhile; nothing was touched. */
  readonly how: 'applied' | 'rolled-back' | 'undone' | 'unclear'
  /** True if some files of the tenant are old and some new: `takeBackMixed` ends that. */
  readonly isMixed: boolean
  /** One sentence for the operator. */
  readonly sentence: string
}
