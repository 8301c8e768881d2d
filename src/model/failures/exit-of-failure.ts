/** The exit code of a failed run, and of one result. */

import { exitCodes, type ExitCode } from '../exit-code.ts'
import { failureKinds, type FailureCode, type TenantState } from '../failure.ts'
import type { VerdictWord } from '../result/verdict.ts'

interface FailureOutcome {
  readonly code: FailureCode
  readonly tenantState: TenantState
}

/** Exit code of a run that ended with a failure before it had results. */
export function exitCodeOfFailure({ code, tenantState }: FailureOutcome): ExitCode {
  return tenantState === 'maybe-paused' ? exitCodes.maybePaused : failureKinds[code].exit.run
}

/** Exit code of one result. */
export function exitCodeOfResult({
  verdict,
  failure,
}: {
  readonly verdict: VerdictWord
  readonly failure?: FailureOutcome
}): ExitCode {
  if (failure?.tenantState === 'maybe-paused') return exitCodes.maybePaused
  if (verdict !== 'failed') return exitCodes[verdict]
  return failure === undefined ? exitCodes.failed : failureKinds[failure.code].exit.result
}
