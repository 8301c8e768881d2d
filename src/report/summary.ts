/** The summary of a run: counts, and the exit code that follows from them (interfaces.md). */

import { exitCodes, gravest, type ExitCode } from '../model/exit-code.ts'
import { exitCodeOfResult } from '../model/failure-exit.ts'
import type { Result, SelectedFile, Summary } from '../model/result/report.ts'

/** How a run came to its end, besides what its results say. */
export interface RunEnd {
  /**
   * Files that were selected and not come to: the run is then at best inconclusive, for nobody knows that they are
   * sound.
   */
  readonly notCovered: number
  /** Code of what stopped or failed the run; null when nothing did. */
  readonly stopped: ExitCode | null
  /** Code of the signal that ended it; null when none did. */
  readonly signal: ExitCode | null
}

/** Counts results as they come; keeps none of them. */
export class ResultCounts {
  readonly #codes = new Set<ExitCode>()
  readonly #counts = { sound: 0, damaged: 0, inconclusive: 0, failed: 0 }

  add(result: Result): void {
    this.#codes.add(exitCodeOfResult(result))
    this.#counts[result.verdict]++
  }

  get results(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0)
  }

  /** Whether the data of any file came to a verdict. */
  get settlesAny(): boolean {
    return this.#counts.sound + this.#counts.damaged > 0
  }

  /** A tenant that may be paused outweighs the signal, the signal everything else. */
  exitCode({ notCovered, stopped, signal }: RunEnd): ExitCode {
    const worst = gravest([
      ...this.#codes,
      ...(stopped === null ? [] : [stopped]),
      ...(notCovered > 0 ? [exitCodes.inconclusive] : []),
    ])
    return worst === exitCodes.maybePaused ? worst : (signal ?? worst)
  }

  summary(notCovered: number, exitCode: ExitCode, notReached: readonly SelectedFile[] = []): Summary {
    return {
      selected: this.results + notCovered,
      ...this.#counts,
      notCovered,
      ...(notReached.length === 0 ? {} : { notReached }),
      exitCode,
    }
  }
}

/** What an exit code means, in words. */
export function exitCodeWords(code: number): string {
  return words[code as ExitCode] ?? 'unknown'
}

const words: Readonly<Record<ExitCode, string>> = {
  0: 'all that was selected is sound',
  1: 'holdfast failed, and says nothing about the data',
  2: 'damage found',
  3: 'something was not proven, not read or not understood',
  4: 'A TENANT MAY STILL BE PAUSED',
  5: 'the two were compared and differ',
  64: 'the command line was not understood',
  70: 'a bug in holdfast',
  75: 'busy, try later',
  78: 'configuration',
  129: 'the terminal went away',
  130: 'interrupted',
  131: 'quit',
  143: 'terminated',
}
