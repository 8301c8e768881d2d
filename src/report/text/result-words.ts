/** Words for results: verdicts that no other can be mistaken for. */

import { exitCodes } from '../../model/exit-code.ts'
import { exitCodeOfResult } from '../../model/failure-exit.ts'
import type { Result } from '../../model/result/report.ts'

export interface TextOptions {
  /** Lines are wrapped there, between words: a path or a command may be longer. Infinity: they are not wrapped. */
  readonly width: number
  /** Whether names in tables are cut to fit: on a terminal. */
  readonly cuts?: boolean
  readonly color: boolean
  readonly verbose: boolean
  /** The configuration that the command line named: the commands of the report name it too. */
  readonly config?: string | null
  /** A private copy of each file lies somewhere already. */
  readonly copied?: boolean
}

/** The tenant was not seen serving after us. */
export const isPaused = (result: Pick<Result, 'failure'>): boolean => result.failure?.tenantState === 'maybe-paused'

export function verdictWord(result: Pick<Result, 'verdict' | 'failure'>): string {
  if (isPaused(result)) return 'PAUSED?'
  if (exitCodeOfResult(result) === exitCodes.busy) return 'BUSY'
  return { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' }[result.verdict]
}
