/** After a change: is what stands there now sound, and is the tenant well? */

import type { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { VerdictWord } from '../../../model/result/verdict.ts'
import type { Target } from '../../run/target.ts'
import type { TargetGroup } from '../../selection/target-groups.ts'
import { checkGroup } from '../checked-group.ts'
import type { GroupProgress } from '../group-progress.ts'
import type { RemedyRun } from '../remedy-run.ts'

export interface SeenResult {
  /** Of a fresh snapshot of each file, by the name of the file; empty if there is none. */
  readonly verdicts: ReadonlyMap<string, VerdictWord>
  /** Null for a bare file, and if the service does not answer. */
  readonly healthy: boolean | null
  /** Why the change must not stay; null if it may. */
  readonly unwell: string | null
}

/**
 * @param unproven why the tenant was not seen serving after the change; null if it was
 * @param wasHealthy whether the tenant was healthy before the change
 */
export async function seeResult(
  group: TargetGroup,
  changed: ReadonlySet<string>,
  { unproven, wasHealthy }: { readonly unproven: Failure | null; readonly wasHealthy: boolean | null },
  run: RemedyRun,
  progress: GroupProgress,
  signal: AbortSignal,
): Promise<SeenResult> {
  if (unproven?.code === 'RESUME_FAILED')
    return { verdicts: new Map(), healthy: false, unwell: `the tenant was not seen serving: ${unproven.message}` }
  await using checked = await checkGroup(group, run.context, progress, { expected: true }, signal)
  const own = checked.files.filter(({ target }) => changed.has(target.named))
  const healthy = await isHealthy(run, group[0], signal)
  const damaged = own.find(({ result }) => result.verdict === 'damaged')
  const unwell =
    damaged !== undefined
      ? `a fresh snapshot of ${damaged.target.named} is damaged (${damaged.result.damage})`
      : wasHealthy === true && healthy === false
        ? 'the tenant was healthy before the change, and is not since'
        : null
  return { verdicts: new Map(own.map(({ target, result }) => [target.named, result.verdict])), healthy, unwell }
}

/** Null for a bare file, and if the service does not answer. */
export async function isHealthy({ context }: RemedyRun, target: Target, signal: AbortSignal): Promise<boolean | null> {
  const connection = context.connectionOf(target)
  if (connection === null) return null
  const state = await orFailure(connection.service.tenant(connection.tenant, signal))
  return 'healthy' in state ? state.healthy : null
}
