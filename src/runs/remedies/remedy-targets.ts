/**
 * Tenants, or bare files, one after the other: each gets its own outcome. What stops every other run stops this one
 * too (runs/stop-the-line.ts).
 */

import { Failure } from '../../model/failure.ts'
import type { RemedyOutcome } from '../../model/result/remedy.ts'
import type { Target } from '../begin/target.ts'
import { notHeld, unreadResult } from '../file-result.ts'
import type { RunTotals } from '../pipeline.ts'
import { groupTargets, type TargetGroup } from '../selection/target-groups.ts'
import { StopTheLine } from '../stop-the-line.ts'
import { undoGroup } from './apply/undo-group.ts'
import type { GroupProgress } from './group-progress.ts'
import { planOf } from './plan/tried-remedy.ts'
import { remedyGroup } from './remedy-group.ts'
import type { RemedyObserver, RemedyRun } from './remedy-run.ts'

/** `undo`: takes a change back; null: the newest one that stands. */
export type RemedyAction = { readonly kind: 'mend' } | { readonly kind: 'undo'; readonly change: string | null }

export type RemedyTotals = RunTotals & { readonly selected: number }

/**
 * @param refused targets that are not held, with the reason
 * @throws {Failure} USAGE, if there is nothing to undo; any error that is no failure
 */
export async function remedyTargets(
  targets: readonly Target[],
  refused: ReadonlyMap<Target, Failure>,
  action: RemedyAction,
  run: RemedyRun,
  { observer, progress }: { readonly observer: RemedyObserver; readonly progress: GroupProgress },
  interrupt: AbortSignal,
): Promise<RemedyTotals> {
  const line = new StopTheLine(interrupt)
  observer.onSelected(targets)
  let done = 0
  for (const group of groupTargets(targets)) {
    if (line.signal.aborted) break
    const outcomes = await line.guard(workOn(group))
    if (outcomes === null) break // It failed, and so the line was stopped.
    for (const outcome of outcomes) {
      observer.onOutcome(outcome)
      considerOutcome(outcome, line)
    }
    done += group.length
    progress.finish(group.length)
  }
  line.throwBug()
  if (line.reason?.code === 'USAGE' && done === 0) throw line.reason
  const notCovered = targets.length - done
  return { selected: targets.length, covered: done, notCovered, stopped: line.whyStopped(notCovered) }

  async function workOn(group: TargetGroup): Promise<readonly RemedyOutcome[]> {
    const reason = group.map((target) => refused.get(target)).find((failure) => failure !== undefined)
    if (reason !== undefined) return group.map((target) => notHeldOutcome(target, reason))
    return action.kind === 'undo'
      ? undoGroup(group, action.change, run, progress, line.signal)
      : remedyGroup(group, run, progress, line.signal)
  }
}

/** A failure that every later tenant would meet stops the line. */
function considerOutcome({ check, result }: RemedyOutcome, line: StopTheLine): void {
  if (result.failure === null) return
  const { code, message, hint, tenantState } = result.failure
  const failure = new Failure(code, message, { hint, tenant: tenantState })
  const target = { tenant: result.tenant, named: result.path }
  line.consider({ failure, result: check ?? unreadResult(notHeld(target, 'full', false), 'failed', failure) })
}

function notHeldOutcome(target: Target, failure: Failure): RemedyOutcome {
  const { code, message, hint, tenantState } = failure
  return {
    check: null,
    account: null,
    result: {
      tenant: target.tenant,
      path: target.named,
      before: { verdict: 'failed', damage: 'none', findingsTotal: 0 },
      plan: planOf('nothing', `nothing is known of the file: ${message}`, null),
      rehearsal: null,
      applied: null,
      account: null,
      failure: { code, message, hint, tenantState },
    },
  }
}
