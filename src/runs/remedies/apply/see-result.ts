/** After a change: is what stands there now sound, and is the tenant well? */

import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { VerdictWord } from '../../../model/result/verdict.ts'
import type { Target } from '../../begin/target.ts'
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
  /** Why nothing could be seen: the run was ended meanwhile, or its ledger failed; null if it was seen. */
  readonly unseen: Failure | null
}

interface ChangeContext {
  /** Ends when the ledger has the change. */
  readonly written: Promise<void>
  /** Why the tenant was not seen serving after the change; null if it was. */
  readonly unconfirmed: Failure | null
  /** Whether the tenant was healthy before the change. */
  readonly wasHealthy: boolean | null
}

/** The live set has changed: whatever comes now, the change is reported. So no failure is thrown. */
export async function seeResult(
  group: TargetGroup,
  names: ReadonlySet<string>,
  changed: ChangeContext,
  run: RemedyRun,
  progress: GroupProgress,
  signal: AbortSignal,
): Promise<SeenResult> {
  const seen = await orFailure(look(group, names, changed, run, progress, signal))
  if (!(seen instanceof Failure)) return { ...seen, unseen: null }
  const unseen = new Failure(seen.code, `the file was changed, but its result was not checked: ${seen.message}`, {
    cause: seen,
    hint: 'check it now: `holdfast check`',
    tenant: changed.unconfirmed?.tenantState ?? (seen.tenantState === 'untouched' ? 'unknown' : seen.tenantState),
  })
  return { verdicts: new Map(), healthy: null, unwell: null, unseen }
}

async function look(
  group: TargetGroup,
  names: ReadonlySet<string>,
  { written, unconfirmed, wasHealthy }: ChangeContext,
  run: RemedyRun,
  progress: GroupProgress,
  signal: AbortSignal,
): Promise<Omit<SeenResult, 'unseen'>> {
  await written
  if (unconfirmed?.code === 'RESUME_FAILED')
    return { verdicts: new Map(), healthy: false, unwell: `the tenant was not seen serving: ${unconfirmed.message}` }
  const terms = { anyFile: true, isDatabase: true, acceptMounted: true }
  await using checked = await checkGroup(group, run.context, progress, terms, signal)
  const own = checked.files.filter(({ target }) => names.has(target.named))
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
