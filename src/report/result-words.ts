/** Words for results: verdicts that no other can be mistaken for. */
import type { Result } from '../model/report.ts'

export interface TextOptions {
  /** Columns of the terminal. Only commands may be longer. */
  readonly width: number
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
  return { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' }[result.verdict]
}
