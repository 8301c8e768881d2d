/** Merges what a damaged file still has into its backup. A confined child does it, on a copy of the backup. */

import type { SnapshotPath } from '../../model/brand.ts'
import type { ConflictRule } from '../../model/result/account.ts'
import type { TableLoss } from '../../model/result/remedy.ts'
import type { AccountWriter } from '../account/account-writer.ts'

/** Sound files, each one plain file. They are only read. */
export interface MergeInputs {
  /** A restored backup from before the damage. */
  readonly backup: SnapshotPath
  /** The new file that a salvage of the damaged file has written, and its facts (salvage/facts.ts). */
  readonly salvaged: SnapshotPath
  readonly facts: SnapshotPath
  /** True if the salvage could read the whole schema: a table that only the backup has was then dropped. */
  readonly schemaIsWhole: boolean
}

export interface MergeOptions {
  /** Which version of a row stays if both sides have it with different values. */
  readonly prefer: ConflictRule
  /** Of the live file: the result gets it. */
  readonly journalMode: 'wal' | 'rollback'
  /** Gets the keys of all rows. The caller closes it. */
  readonly account: AccountWriter
  /** For the sandbox: a folder of ours, on the file system of `to`. */
  readonly folder: string
  /** For the child. */
  readonly memoryBytesMax: number
  readonly niceness: number
  readonly timeoutMs: number
  readonly onProgress?: (progress: MergeProgress) => void
}

export interface MergeProgress {
  /** `compare`, `write`: table by table. `verify`: foreign keys, full-text indexes. `account`: keys are written down. */
  readonly step: 'copy' | 'compare' | 'write' | 'verify' | 'account'
  /** Tables. */
  readonly done: number
  readonly total: number
}

/** A table that is in the result as one side has it. */
export interface UnmergedTable {
  readonly table: string
  readonly stays: ConflictRule
  /** Holds the rows of the damaged file, if the result has them too; null if not. */
  readonly besides: string | null
  /** One sentence. */
  readonly why: string
}

export interface Merged {
  /** One plain file, closed and not yet synced. It was not checked yet. */
  readonly file: string
  /** Tables that have rows other than kept ones. */
  readonly losses: readonly TableLoss[]
  readonly unmerged: readonly UnmergedTable[]
  readonly ms: number
}

/**
 * @param to must not exist
 * @throws {Failure} REMEDY_REFUSED if the two files cannot be merged, with the reason; CANNOT_CONFINE, NO_SPACE,
 * READ_FAILED and others; signal.reason if it was aborted. `to` does not exist then.
 */
export type MergeFiles = (inputs: MergeInputs, to: string, options: MergeOptions, signal: AbortSignal) => Promise<Merged>
