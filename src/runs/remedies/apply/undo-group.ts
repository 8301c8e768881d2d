/** `--undo`: the kept original of a change is put back in a pause, and a fresh snapshot of it is checked. */

import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import { tenantPrefix } from '../../../model/result/comparison.ts'
import type { AppliedChange, RemedyOutcome } from '../../../model/result/remedy.ts'
import { shellWord } from '../../../text/shell-words.ts'
import { failureFields } from '../../file-result.ts'
import type { TargetGroup } from '../../selection/target-groups.ts'
import type { GroupProgress } from '../group-progress.ts'
import { planOf } from '../plan/tried-remedy.ts'
import type { RemedyRun } from '../remedy-run.ts'
import { isHealthy, seeResult } from './see-result.ts'
import { changedFilesOf, changeToUndo, originalOf, undoChange } from './take-back.ts'

/**
 * @param id null: the newest change of the target that stands
 * @returns one outcome for each file that the change had changed
 * @throws {Failure} USAGE if there is no such change; INTERRUPTED, LEDGER_UNUSABLE, what stops a run
 */
export async function undoGroup(
  group: TargetGroup,
  id: string | null,
  run: RemedyRun,
  progress: GroupProgress,
  signal: AbortSignal,
): Promise<readonly RemedyOutcome[]> {
  const [first] = group
  const found = await changeToUndo(id, first, run)
  const { change } = found.record
  const files = await changedFilesOf(found, group)
  const targets = group.filter(({ named }) => files.has(named))
  progress.onStep({ target: first }, 'putting the original back')
  const wasHealthy = await isHealthy(run, first, signal)
  const outcome = await orFailure(undoChange(found, first, run, signal))
  if (outcome instanceof Failure) return targets.map((target) => outcomeFor(target, null, outcome))
  if (outcome.kind === 'unchanged') return targets.map((target) => outcomeFor(target, null, outcome.failure))
  const names = new Set(targets.map(({ named }) => named))
  const { written, unconfirmed } = outcome
  const seen = await seeResult(group, names, { written, unconfirmed, wasHealthy }, run, progress, signal)
  const whyDown = wasHealthy === true && seen.healthy === false ? notServing(first) : null
  return targets.map((target) =>
    outcomeFor(
      target,
      {
        change,
        at: outcome.at,
        method: outcome.method,
        pauseMs: outcome.pauseMs === null ? null : Math.round(outcome.pauseMs),
        verdict: seen.verdicts.get(target.named) ?? 'inconclusive',
        healthy: seen.healthy,
        original: originalFor(target.named),
      },
      seen.unseen ?? unconfirmed ?? whyDown,
    ),
  )

  function originalFor(named: string): string {
    const file = files.get(named)
    return file === undefined ? found.file : originalOf(found, file)
  }

  function outcomeFor(
    { tenant, named }: (typeof group)[number],
    applied: AppliedChange | null,
    failure: Failure | null,
  ): RemedyOutcome {
    /** What was written since is not lost: the person sees what it is. */
    const nextCommand = (): string | null => {
      if (failure?.code !== 'REMEDY_STALE') return null
      const live = tenant === null ? fileWord(named) : shellWord(`${tenantPrefix}${tenant}`)
      return `holdfast compare ${live} ${fileWord(originalFor(named))}`
    }
    return {
      check: null,
      account: null,
      result: {
        tenant,
        path: named,
        before: { verdict: 'inconclusive', damage: 'none', findingsTotal: 0 }, // The file was not checked before.
        plan: planOf('undo', `the change ${change} (${found.record.remedy}) is taken back`, nextCommand()),
        rehearsal: null,
        applied,
        account: null,
        failure: failure === null ? null : failureFields(failure),
      },
    }
  }
}

/** The undo stays: nothing else could be put in its place. */
const notServing = ({ tenant }: TargetGroup[0]): Failure =>
  new Failure('RESUME_FAILED', `the original is back, but ${tenant} was healthy before the undo, and is not since`)

/** With a slash, so that it is not taken for a tenant. */
const fileWord = (path: string): string => shellWord(path.includes('/') ? path : `./${path}`)
