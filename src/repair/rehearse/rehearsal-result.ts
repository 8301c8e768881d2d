/** What is rehearsed, and what comes out of it. */

import type { DiagnosisContext } from '../../diagnosis/context.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { Failure } from '../../model/failure.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Rehearsal } from '../../model/result/remedy.ts'

export type { MendOrder } from '../mend/mend-order.ts'

/** A private copy that was checked: one plain file, as recovery has left it. It is only read. */
export interface SettledFile {
  readonly path: SnapshotPath
  /** As in `CheckOptions`; null for the file that is there. */
  readonly kept: KeptFiles | null
  /** Its full check, which found what the remedy is for. */
  readonly reading: Reading
  /** For the verdict on the result; `accept` and the words of its reasons. */
  readonly context: DiagnosisContext
}

/** One plain file that was checked by both engines and is sound. Disposing of it deletes it. */
interface MendedFile extends AsyncDisposable {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly bytes: number
  /** The census of it. */
  readonly reading: Reading
}

/** Entries that the rebuilt indexes had and their tables lack, one JSON document of `DroppedEntry` a line. */
export interface DroppedEntries {
  readonly total: number
  /** Null if `total` is 0. It lies beside the mended file and is deleted with it. `readDropped` reads it. */
  readonly file: string | null
  /** Pages of the rebuilt indexes that could not be read: what they held is not known. */
  readonly unreadPages: readonly number[]
}

/** A full-text index that was rebuilt, and where its text came from: its own content table, or a table or view. */
interface RebuiltText {
  readonly name: string
  readonly source: string
}

/** `refused`: nothing is kept. `failure` is REMEDY_REFUSED with the reason in words. */
export type RehearsalResult =
  | {
      readonly kind: 'sound'
      readonly mended: MendedFile
      readonly rehearsal: Rehearsal
      readonly dropped: DroppedEntries
      readonly texts: readonly RebuiltText[]
    }
  | {
      readonly kind: 'refused'
      readonly failure: Failure
      /** Null if nothing came out that could be checked. */
      readonly rehearsal: Rehearsal | null
    }

/** What a candidate must hold: the file that it is compared with, or null to judge it by itself. */
export interface CandidateFile {
  /** A file of ours. It is only read, unless it has a WAL or a journal, which is written back. */
  readonly path: SnapshotPath
  readonly kept: KeptFiles | null
  readonly context: DiagnosisContext
  /** The digests that its tables must have, for example those of a backup; null if any content will do. */
  readonly content: Reading['content'] | null
}

/** `reading` is that of the census; null if the file could not be read at all. */
export type RehearsedFile =
  | { readonly kind: 'sound'; readonly rehearsal: Rehearsal; readonly reading: Reading }
  | {
      readonly kind: 'refused'
      readonly failure: Failure
      readonly rehearsal: Rehearsal
      readonly reading: Reading | null
    }
