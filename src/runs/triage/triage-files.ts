/** `triage FILE...`: for people who have only files and a crash. No service is asked, and the seal alone decides. */

import { ageOf } from '../../model/age.ts'
import type { Depth, RunContext } from '../begin/run-context.ts'
import { besideLockedFile, limitsFor } from '../begin/run-limits.ts'
import type { Target } from '../begin/target.ts'
import { lookAtFiles, unseenFile } from './gather/file-facts.ts'
import { WaitBudget } from './pass.ts'
import { passes, type PassesObserver } from './passes.ts'
import { orderBySuspicion } from './suspicion.ts'
import type { TriageTotals } from './triage.ts'

export interface FileTriageOptions {
  readonly depth: Depth
  readonly first: boolean
  readonly checksInParallel: number
}

/** To look at files takes so long at most. In ms. */
const lookMsMax = 5_000

export async function triageFiles(
  context: RunContext,
  targets: readonly Target[],
  { depth, first, checksInParallel }: FileTriageOptions,
  observer: PassesObserver,
  signal: AbortSignal,
): Promise<TriageTotals> {
  const files = await lookAtFiles(targets, lookMsMax, false)
  const now = Date.now()
  // When the crash was is not known: what was written last is the nearest to it. A time in the future was written while
  // a clock was wrong.
  const crashedAt = [...files.values()].reduce<number | null>((latest, { writtenAt }) => {
    return writtenAt === null || ageOf(writtenAt, now) === null ? latest : Math.max(latest ?? 0, writtenAt)
  }, null)
  const suspects = orderBySuspicion(
    targets.map((target) => ({ target, file: files.get(target) ?? unseenFile, last: null, said: null })),
    { now, crashedAt, hasLedger: false, statusTenant: null },
  )
  observer.onSelected(suspects.map(({ target }) => target))
  observer.onOrder(suspects)
  const totals = await passes(
    suspects,
    {
      depth,
      first,
      statusTenant: null,
      limitsOf: (of) => limitsFor(context.folder, of, 1, checksInParallel, besideLockedFile),
      // A program that has a file open will have it open in a minute too.
      meansNow: () => Promise.resolve({ context, mayRecover: false }),
      waitBudget: new WaitBudget(0),
      signal,
    },
    observer,
  )
  return { ...totals, selected: targets.length }
}
