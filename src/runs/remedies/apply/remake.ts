/**
 * A tenant that is written all the time is mended inside of its pause. The snapshots that were taken there are checked,
 * and the same remedy is rehearsed on them. Another plan than before is refused.
 */

import type { Remake, RehearsedCopy, RetakenSnapshot } from '../../../hold/change/change-types.ts'
import { AsyncDisposables } from '../../../host/disposal.ts'
import type { ChangeId } from '../../../model/brand.ts'
import { invariant } from '../../../model/bug.ts'
import type { RemedyPlan } from '../../../model/result/remedy.ts'
import type { NonEmpty } from '../../../model/result/verdict.ts'
import { noEarlierChecks } from '../../earlier-checks.ts'
import { examineCopy } from '../../examine.ts'
import type { CheckedFile } from '../checked-group.ts'
import type { GroupProgress } from '../group-progress.ts'
import type { ReadyFile } from '../plan/tried-remedy.ts'
import type { RemedyRun } from '../remedy-run.ts'
import { writeAccount } from './write-account.ts'

/** Disposing of it deletes what was mended inside of the pause. */
export class RemadeFiles implements AsyncDisposable {
  readonly #before: NonEmpty<ReadyFile>
  readonly #change: ChangeId
  readonly #run: RemedyRun
  readonly #progress: GroupProgress
  readonly #trials = new AsyncDisposables()
  #files: NonEmpty<ReadyFile>

  constructor(before: NonEmpty<ReadyFile>, change: ChangeId, run: RemedyRun, progress: GroupProgress) {
    this.#before = before
    this.#files = before
    this.#change = change
    this.#run = run
    this.#progress = progress
  }

  /** The files that were put in place: those from before the pause, unless they were mended anew. */
  get files(): NonEmpty<ReadyFile> {
    return this.#files
  }

  readonly work: Remake = async (taken, signal) => {
    const again: ReadyFile[] = []
    for (const [at, { file, tried }] of this.#before.entries()) {
      const one = taken[at]
      invariant(one, 'each file was taken again')
      const checked = await this.#check(file, one, signal)
      const anew = this.#trials.add(await this.#run.tryOn(checked, signal))
      if (anew.candidate === null || !isSamePlan(anew.plan, tried.plan)) return null
      const { method, predictedPauseMs, needsBytes, undo } = tried.plan
      const costed = { ...anew, plan: { ...anew.plan, method, predictedPauseMs, needsBytes, undo } }
      again.push({
        file: checked,
        tried: { ...costed, candidate: anew.candidate, [Symbol.asyncDispose]: () => anew[Symbol.asyncDispose]() },
      })
    }
    const [first, ...more] = again
    invariant(first, 'a change has a file')
    for (const { file, tried } of again) await writeAccount(file.target, tried, this.#change, this.#run)
    this.#files = [first, ...more]
    return [rehearsedCopyOf(first), ...more.map(rehearsedCopyOf)]
  }

  async #check(file: CheckedFile, { snapshot }: RetakenSnapshot, signal: AbortSignal): Promise<CheckedFile> {
    const { target, held } = file
    invariant(held.kind === 'snapshot', 'a file that is ready was held')
    const unchecked = {
      target,
      evidence: file.result.evidence,
      timings: file.result.timings,
      startedAtMs: performance.now(),
      depth: 'full' as const,
      map: false,
      earlierChecks: noEarlierChecks,
      notices: [],
    }
    const copy = { path: snapshot.path, kept: snapshot.kept, file: held.file, modifiedMs: new Map() }
    const { result, failure, read } = await examineCopy(
      unchecked,
      copy,
      this.#run.context,
      this.#progress.onChecking(target),
      signal,
    )
    const settled = read === null || failure !== null ? null : { path: snapshot.path, kept: snapshot.kept, ...read }
    return { target, held: { ...held, snapshot }, result, failure, settled }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#trials[Symbol.asyncDispose]()
  }
}

/** What was asked for is done to the same objects. Numbers of rows may differ: the file was written. */
const isSamePlan = (a: RemedyPlan, b: RemedyPlan): boolean =>
  a.do === b.do && a.backup?.id === b.backup?.id && JSON.stringify(a.objects) === JSON.stringify(b.objects)

export function rehearsedCopyOf({ file: { held }, tried: { candidate } }: ReadyFile): RehearsedCopy {
  invariant(held.kind === 'snapshot', 'a file that is ready was held')
  return { settled: held.snapshot.path, mended: candidate.path }
}
