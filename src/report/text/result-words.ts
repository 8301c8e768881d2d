/** Words for verdicts: none can be mistaken for another. */

import { exitCodes } from '../../model/exit-code.ts'
import { exitCodeOfResult } from '../../model/failures/exit-of-failure.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { Result } from '../../model/result/report.ts'
import { humanMs } from '../../text/units.ts'

export interface TextOptions {
  /** The width at which lines are wrapped between words; a path or a command may be longer. Infinity: not wrapped. */
  readonly width: number
  /** True on a terminal: names in tables are cut to fit. */
  readonly cuts?: boolean
  readonly color: boolean
  readonly verbose: boolean
  /** The configuration that the command line named, because the commands of the report must name it too. */
  readonly config?: string | null
  /** True if a private copy of each file exists already. */
  readonly copied?: boolean
  /** True if files were to be checked while programs use them. */
  readonly live?: boolean
  /** True if the run suspects harm: then no command is offered that changes, pauses or checks anything. */
  readonly harm?: boolean
}

/** True if the tenant was not seen serving after the hold. */
export const isPaused = (result: Pick<Result, 'failure'>): boolean => result.failure?.tenantState === 'maybe-paused'

export function verdictWord(result: Pick<Result, 'verdict' | 'failure'>): string {
  if (isPaused(result)) return 'PAUSED?'
  if (exitCodeOfResult(result) === exitCodes.busy) return 'BUSY'
  return { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' }[result.verdict]
}

/** How long the tenant stood still. A pinned one goes on. */
export const pauseWords = (level: SealLevel, pauseMs: number | null): string =>
  level === 'pinned' ? 'none' : humanMs(pauseMs)

/** The gravest first: paused, damaged, failed, inconclusive. */
export const rankOfResult = (result: Pick<Result, 'verdict' | 'failure'>): number =>
  isPaused(result) ? 0 : { damaged: 1, failed: 2, inconclusive: 3, sound: 4 }[result.verdict]
