/** The summary of a run: the counts, and the exit code that follows from them. */

import { exitCodes, gravest, type ExitCode } from '../model/exit-code.ts'
import { exitCodeOfResult } from '../model/failures/exit-of-failure.ts'
import type { Result, SelectedFile, Summary } from '../model/result/report.ts'

/** How a run ended, besides its results. */
export interface RunEnd {
  /**
   * Number of selected files that the run did not reach. With any, the run is at best inconclusive, because these files
   * are not known to be sound.
   */
  readonly notCovered: number
  /** Exit code of what stopped or failed the run; null if nothing did. */
  readonly stopped: ExitCode | null
  /** Exit code of the signal that ended it; null if none did. */
  readonly signal: ExitCode | null
}

/** Counts results one by one, without keeping them. */
export class ResultCounts {
  readonly #codes = new Map<ExitCode, number>()
  readonly #counts = { sound: 0, damaged: 0, inconclusive: 0, failed: 0 }
  #unsettled = 0

  add(result: Result): void {
    this.#count(result, 1)
  }

  /** Counts no longer a result that another one replaces. */
  remove(result: Pick<Result, 'verdict' | 'failure'>): void {
    this.#count(result, -1)
  }

  #count(result: Pick<Result, 'verdict' | 'failure'>, by: 1 | -1): void {
    const code = exitCodeOfResult(result)
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + by)
    this.#counts[result.verdict] += by
    if (!isSettled(result)) this.#unsettled += by
  }

  get results(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0)
  }

  /** Files that are neither sound nor damaged. Those that are gone do not count. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** True if any file was found sound or damaged. */
  get settlesAny(): boolean {
    return this.#counts.sound + this.#counts.damaged > 0
  }

  /** A tenant that may be paused outweighs the signal, and the signal outweighs everything else. */
  exitCode({ notCovered, stopped, signal }: RunEnd): ExitCode {
    const worst = gravest([
      ...[...this.#codes].flatMap(([code, results]) => (results > 0 ? [code] : [])),
      ...(stopped === null ? [] : [stopped]),
      ...(notCovered > 0 ? [exitCodes.inconclusive] : []),
    ])
    return worst === exitCodes.maybePaused ? worst : (signal ?? worst)
  }

  summary(notCovered: number, exitCode: ExitCode, notReached: readonly SelectedFile[] = [], notDue = 0): Summary {
    return {
      selected: this.results + notCovered,
      ...this.#counts,
      notCovered,
      ...(notReached.length === 0 ? {} : { notReached }),
      ...(notDue === 0 ? {} : { notDue }),
      exitCode,
    }
  }
}

/** A file that the service no longer has needs no verdict. */
const isSettled = ({ verdict, failure }: Pick<Result, 'verdict' | 'failure'>): boolean =>
  verdict === 'sound' || verdict === 'damaged' || failure?.code === 'TENANT_GONE' || failure?.code === 'FILE_GONE'

/** The meaning of an exit code, in words. */
export function exitCodeWords(code: number): string {
  return words[code as ExitCode] ?? 'unknown'
}

const words: Readonly<Record<ExitCode, string>> = {
  0: 'all that was selected is sound',
  1: 'holdfast failed, and reports nothing about the data',
  2: 'damage found',
  3: 'something was not proven, not read or not understood',
  4: 'A TENANT MAY STILL BE PAUSED',
  5: 'the two were compared and differ',
  64: 'the command line was not understood',
  70: 'a bug in holdfast',
  75: 'busy, try later',
  78: 'configuration',
  129: 'the terminal was closed',
  130: 'interrupted',
  131: 'quit',
  143: 'terminated',
}
