/** The record of a change (schema holdfast.change/1): the durable intent, and later its history. */
import type { ChangeId, RunId, TenantId } from '../../../model/brand.ts'
import type { ChangeMethod, RemedyKind } from '../../../model/result/remedy.ts'

/**
 * `kept`: the original is being copied, or is on the disk; the live set is untouched. `prepared`: names of the live set
 * may change from now on. `undoing`: as `prepared`, on the way back. The others are ends; `unclear`: something else
 * replaced the live file.
 */
export type ChangeState = 'kept' | 'prepared' | 'applied' | 'rolled-back' | 'undoing' | 'undone' | 'unclear'

/** Which file it is. Times are those of the file system, in ns. */
export interface SeenFile {
  readonly dev: string
  readonly ino: string
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
}

export interface KeptPart {
  readonly part: '' | '-wal' | '-journal'
  /** Relative to the folder of the record. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/**
 * A file of ours beside the live file. `aside`: a companion that was moved away because its commits are in the file.
 */
export interface StagedFileRecord {
  readonly what: 'settled' | 'mended' | 'original' | 'wal' | 'journal' | 'aside'
  readonly name: string
  readonly dev: string
  readonly ino: string
}

/**
 * Digests of one page before and after an in-place change: they tell which side a file is on that was written since.
 */
export interface PageSample {
  readonly page: number
  readonly old: string
  readonly new: string
}

export interface ChangedFile {
  /** The live file. */
  readonly path: string
  readonly original: readonly KeptPart[]
  /** What SQLite makes of the original; null if the original is one plain file. */
  readonly settled: { readonly name: string; readonly bytes: number; readonly sha256: string } | null
  /** The live main file when the change was prepared; null before. */
  readonly before: SeenFile | null
  /** The live main file after the change; null before. */
  readonly after: SeenFile | null
  readonly mended: { readonly bytes: number; readonly sha256: string } | null
  /** Names of ours beside the live file, as long as the change has not ended. */
  readonly beside: readonly StagedFileRecord[]
  /** Empty for a swap: there the inode tells. */
  readonly samples: readonly PageSample[]
  /** True if the change broke off before it reached this file: an undo leaves it as it is. */
  readonly holdsOriginal?: boolean
}

export interface ChangeRecord {
  readonly schema: 'holdfast.change/1'
  readonly change: ChangeId
  readonly run: RunId
  readonly tool: { readonly version: string }
  readonly tenant: TenantId | null
  readonly remedy: RemedyKind
  readonly method: ChangeMethod | null
  readonly state: ChangeState
  /** False while names of ours may lie beside the live files. */
  readonly tidy: boolean
  /** Of the last state, ISO 8601. */
  readonly at: string
  readonly files: readonly ChangedFile[]
}
