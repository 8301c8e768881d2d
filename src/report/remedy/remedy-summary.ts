/** What a run of remedies comes to: a word for each result, the counts, and the exit code. */

import { exitCodes, gravest, type ExitCode } from '../../model/exit-code.ts'
import { failureKinds, type FailureCode } from '../../model/failure.ts'
import type { RemedyResult, RemedySummary } from '../../model/result/remedy.ts'

/**
 * What became of one file. `ready`: rehearsed and sound, not applied. `undone`: an earlier change was taken back.
 * `ask`: this command cannot mend it; the plan names the command that can.
 */
export type RemedyState = 'ready' | 'applied' | 'undone' | 'nothing' | 'ask' | 'failed'

export function remedyStateOf(
  { before, plan, rehearsal, applied, failure }: RemedyResult,
  mode: RemedyMode,
): RemedyState {
  if (failure !== null) return 'failed'
  if (plan.do === 'undo') return applied === null ? 'failed' : 'undone'
  if (applied !== null) return 'applied'
  if (plan.do === 'ask' || (plan.do === 'restore' && mode === 'repair')) return 'ask'
  if (plan.do === 'nothing') return before.verdict === 'sound' ? 'nothing' : 'failed'
  return rehearsal?.verdict === 'sound' ? 'ready' : 'failed'
}

export type RemedyMode = 'repair' | 'restore' | 'salvage'

/** True if the tenant was not seen serving after the change. */
export const isMaybePaused = ({ failure }: Pick<RemedyResult, 'failure'>): boolean =>
  failure?.tenantState === 'maybe-paused'

/** Exit code of one result. */
export function exitCodeOfRemedy(result: RemedyResult, mode: RemedyMode): ExitCode {
  const { before, applied, failure, plan } = result
  if (failure !== null) return exitCodeOfItsFailure(result, failure)
  switch (remedyStateOf(result, mode)) {
    case 'ready':
    case 'nothing':
    case 'undone':
      return exitCodes.sound
    case 'applied':
      if (plan.do === 'salvage' && plan.losses.length > 0) return exitCodes.damaged
      return applied === null || applied.verdict === 'failed' ? exitCodes.inconclusive : exitCodes[applied.verdict]
    case 'ask':
      return exitCodes.damaged
    case 'failed':
      return before.verdict === 'inconclusive' ? exitCodes.inconclusive : exitCodes.damaged
  }
}

/** What ends a hold in its pause: nothing was proven and nothing changed, which is inconclusive, as in a check. */
const unproven = new Set<FailureCode>([
  'CONTRACT_BROKEN',
  'COPY_CHANGED',
  'LEASE_LOST',
  'QUIESCE_TIMEOUT',
  'SERVICE_BUSY',
  'WRITER_SEEN',
])

function exitCodeOfItsFailure(
  { before, applied, plan }: RemedyResult,
  { code, tenantState }: NonNullable<RemedyResult['failure']>,
): ExitCode {
  if (tenantState === 'maybe-paused') return exitCodes.maybePaused
  if (applied !== null) return exitCodes.damaged // It stands, although it must not.
  const unread = before.verdict === 'inconclusive' && plan.do !== 'undo' // Before an undo, nothing is checked.
  if (unread || unproven.has(code)) return exitCodes.inconclusive
  if (before.verdict === 'damaged' && code === 'BACKUP_UNKNOWN') return exitCodes.damaged
  return failureKinds[code].exit.result
}

/** Counts results one by one, without keeping them. */
export class RemedyTally {
  readonly #mode: RemedyMode
  readonly #codes = new Set<ExitCode>()
  readonly #states: Record<RemedyState, number> = { ready: 0, applied: 0, undone: 0, nothing: 0, ask: 0, failed: 0 }

  constructor(mode: RemedyMode) {
    this.#mode = mode
  }

  add(result: RemedyResult): void {
    this.#codes.add(exitCodeOfRemedy(result, this.#mode))
    this.#states[remedyStateOf(result, this.#mode)]++
  }

  get results(): number {
    return Object.values(this.#states).reduce((sum, one) => sum + one, 0)
  }

  /**
   * The gravest code of all. A tenant that may be paused outweighs the signal, and the signal everything else.
   * @param stopped code of what stopped or failed the run; null if nothing did
   * @param signal code of the signal that ended it; null if none did
   */
  exitCode(selected: number, stopped: ExitCode | null, signal: ExitCode | null): ExitCode {
    const worst = gravest([
      ...this.#codes,
      ...(stopped === null ? [] : [stopped]),
      ...(selected > this.results ? [exitCodes.inconclusive] : []),
    ])
    return worst === exitCodes.maybePaused ? worst : (signal ?? worst)
  }

  /** `applied` counts the changes that were taken back as asked, too. */
  summary(selected: number, exitCode: ExitCode): RemedySummary {
    const { ready, applied, undone, nothing, ask, failed } = this.#states
    return { selected, ready, applied: applied + undone, nothing, ask, failed, exitCode }
  }
}
