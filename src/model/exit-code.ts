/** Exit codes (interfaces.md). Each result has its own; of several at once the gravest is the run's. */
import type { FailureCode, TenantState } from './failure.ts'
import type { VerdictWord } from './result/verdict.ts'

export const exitCodes = {
  sound: 0,
  failed: 1,
  damaged: 2,
  inconclusive: 3,
  maybePaused: 4,
  differ: 5,
  usage: 64,
  bug: 70,
  busy: 75,
  configuration: 78,
  hangup: 129,
  interrupted: 130,
  quit: 131,
  terminated: 143,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Gravest first: a paused tenant outweighs everything. */
const gravity: readonly ExitCode[] = [4, 70, 2, 1, 3, 75, 5, 0]

const byFailure: Partial<Record<FailureCode, ExitCode>> = {
  IN_USE: exitCodes.busy,
  LOCK_BUSY: exitCodes.busy,
  RUN_ACTIVE: exitCodes.busy,
  CONFIG_INVALID: exitCodes.configuration,
  USAGE: exitCodes.usage,
  TENANT_UNKNOWN: exitCodes.usage,
}

/** Exit code of a run that ended with a failure before it had results. */
export function exitCodeOfFailure(failure: {
  readonly code: FailureCode
  readonly tenantState: TenantState
}): ExitCode {
  if (failure.tenantState === 'maybe-paused') return exitCodes.maybePaused
  return byFailure[failure.code] ?? exitCodes.failed
}

/** Exit code of one result. */
export function exitCodeOfResult(result: {
  readonly verdict: VerdictWord
  readonly failure?: { readonly code: FailureCode; readonly tenantState: TenantState }
}): ExitCode {
  if (result.failure?.tenantState === 'maybe-paused') return exitCodes.maybePaused
  if (result.verdict === 'failed') {
    return result.failure?.code === 'IN_USE' || result.failure?.code === 'LOCK_BUSY' ? exitCodes.busy : exitCodes.failed
  }
  return exitCodes[result.verdict]
}

/** The gravest of several; 0 for none. */
export function gravest(codes: Iterable<ExitCode>): ExitCode {
  const seen = new Set(codes)
  return gravity.find((code) => seen.has(code)) ?? exitCodes.sound
}
