/**
 * The rehearsal: a remedy is carried out on a copy by a confined process. The copy is then checked by the census and by
 * SQLite, and its tables are compared with those of the file before. Only what passes all of it may be applied.
 */

import type { Checker } from '../../check/check.ts'
import type { ChildLimits } from '../../check/reader-process.ts'
import type { DroppedEntry } from '../../model/result/account.ts'
import type { Candidate, DroppedEntries, Mending, Rehearsed, RehearsedFile, SettledFile } from './rehearsed.ts'

export interface RehearsalOptions {
  /** Checks what was mended. It stays the caller's. */
  readonly checker: Checker
  /** For the copies: a private folder of ours, on the file system of the snapshots. Usually the snapshot folder. */
  readonly folder: string
  /** Of the process that mends. `timeoutMs`: for one remedy. */
  readonly limits: ChildLimits & { readonly timeoutMs: number }
}

/** Called while a remedy is rehearsed. `step` is what goes on now. */
export type RehearsalObserver = (step: 'copy' | 'mend' | 'check' | 'check-by-sqlite' | 'compare') => void

export interface Rehearsals extends AsyncDisposable {
  /**
   * Carries out a remedy on a copy of `settled`, and checks what comes out. The caller disposes of what is mended.
   * @throws {Failure} CANNOT_CONFINE, NO_SPACE, READ_FAILED and others that say nothing of the remedy
   * @throws signal.reason if it was aborted; nothing is then left
   */
  rehearse(settled: SettledFile, mending: Mending, signal: AbortSignal, onStep?: RehearsalObserver): Promise<Rehearsed>
  /**
   * Checks a file that others made as `rehearse` checks what it made: a restored backup, a salvaged or merged file.
   * @throws as `rehearse`
   */
  rehearseFile(candidate: Candidate, signal: AbortSignal, onStep?: RehearsalObserver): Promise<RehearsedFile>
}

/** @throws {Failure} as `Checker.ready` */
export declare function openRehearsals(options: RehearsalOptions): Promise<Rehearsals>

/** The dropped entries, one at a time. @throws {Failure} READ_FAILED if the file is not what the mender writes */
export declare function readDropped(dropped: DroppedEntries): AsyncIterable<DroppedEntry>
