/** The parts of a remedy's result: what was found, what was planned and tried, and what came of it. Pure. */

import type { Failure } from '../../model/failure.ts'
import type {
  AppliedChange,
  PlannedRemedy,
  RemedyOutcome,
  RemedyPlan,
  TakenBackChange,
} from '../../model/result/remedy.ts'
import { failureFields } from '../file-result.ts'
import type { CheckedFile } from './checked-group.ts'
import type { TriedFile, TriedRemedy } from './plan/tried-remedy.ts'

export interface OutcomeParts {
  readonly plan?: RemedyPlan
  readonly planned?: PlannedRemedy | null
  readonly applied?: AppliedChange | null
  readonly takenBack?: TakenBackChange
  readonly account?: string | null
  /** Instead of the failure of the trial. */
  readonly failure?: Failure | null
}

export const outcomeWithFailure = (outcome: RemedyOutcome, failure: Failure): RemedyOutcome => ({
  ...outcome,
  result: { ...outcome.result, failure: failureFields(failure) },
})

/** The original cannot be kept. The command of the plan would fail again, until the place is another one. */
export const withoutPlace = ({ file, tried }: TriedFile, failure: Failure): RemedyOutcome =>
  outcomeOf(file, tried, { plan: { ...tried.plan, command: null }, failure })

export function outcomeOf(file: CheckedFile, tried: TriedRemedy, extras: OutcomeParts = {}): RemedyOutcome {
  const { target, result } = file
  const met = extras.failure ?? tried.failure
  // The tenant was paused for its snapshot, and was seen serving afterwards.
  const wasHeld = result.evidence.quiesce !== null && met?.tenantState === 'untouched'
  const failure = wasHeld ? met.withTenant('active') : met
  return {
    check: result,
    account: tried.account?.summary ?? null,
    result: {
      tenant: target.tenant,
      path: target.named,
      before: { verdict: result.verdict, damage: result.damage, findingsTotal: result.findingsTotal },
      plan: extras.plan ?? tried.plan,
      ...(extras.planned == null ? {} : { planned: extras.planned }),
      rehearsal: tried.rehearsal,
      applied: extras.applied ?? null,
      ...(extras.takenBack === undefined ? {} : { takenBack: extras.takenBack }),
      account: extras.account ?? null,
      failure: failure === null ? null : failureFields(failure),
    },
  }
}
