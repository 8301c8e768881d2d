/** What a remedy came to on a copy of one file. Disposing of it deletes the copy. */

import type { SnapshotPath } from '../../../model/brand.ts'
import type { Failure } from '../../../model/failure.ts'
import type { AccountSummary } from '../../../model/result/account.ts'
import type { Rehearsal, RemedyPlan } from '../../../model/result/remedy.ts'
import type { AccountLocation } from '../../../repair/account/account-draft.ts'
import type { CheckedFile } from '../checked-group.ts'

/** One plain file that was checked by both engines and is sound, in the journal mode of the live file. */
interface MadeFile {
  readonly path: SnapshotPath
  readonly bytes: number
}

export interface TriedRemedy extends AsyncDisposable {
  /** Without the costs and the command to undo it, which are known later (runs/remedies/remedy-group.ts). */
  readonly plan: RemedyPlan
  readonly rehearsal: Rehearsal | null
  /** Null if there is nothing to put in place. */
  readonly candidate: MadeFile | null
  /** Why nothing could be rehearsed; null if it could, or if there was nothing to do. */
  readonly failure: Failure | null
  /** What the remedy does to each row and entry; null if the plan says it all. */
  readonly account: RemedyAccount | null
}

export interface RemedyAccount extends Disposable {
  readonly summary: AccountSummary
  /**
   * Writes it; may be called again, for another place.
   * @param change the id that the account carries
   * @returns its path @throws {Failure} NO_SPACE and others
   */
  publish(change: string, place: AccountLocation): Promise<string>
}

/** A file with its trial. */
export interface TriedFile {
  readonly file: CheckedFile
  readonly tried: TriedRemedy
}

export type ReadyFile = TriedFile & { readonly tried: TriedRemedy & { readonly candidate: MadeFile } }

/** A plan without anything to put in place. */
export const untriedRemedy = (plan: RemedyPlan, failure: Failure | null = null): TriedRemedy => ({
  plan,
  failure,
  rehearsal: null,
  candidate: null,
  account: null,
  [Symbol.asyncDispose]: () => Promise.resolve(),
})

/** A plan that changes nothing. @param why one sentence @param command what to type next; null for nothing */
export const planOf = (
  todo: RemedyPlan['do'],
  why: string,
  command: string | null,
  more: Partial<Pick<RemedyPlan, 'objects' | 'backup' | 'losses' | 'method'>> = {},
): RemedyPlan => ({
  do: todo,
  objects: [],
  backup: null,
  method: 'swap',
  predictedPauseMs: null,
  needsBytes: null,
  losses: [],
  undo: null,
  why,
  command,
  ...more,
})
