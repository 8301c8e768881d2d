/** The result of a comparison: in a word, in numbers, and as an exit code. */

import { exitCodes, gravest, type ExitCode } from '../../model/exit-code.ts'
import { exitCodeOfResult } from '../../model/failures/exit-of-failure.ts'
import type {
  ComparisonCounts,
  ComparisonOutcome,
  ComparisonSummary,
  ComparisonWord,
  FileComparison,
} from '../../model/result/comparison.ts'
import { exitCodeWords } from '../summary.ts'

/** How a comparison ended, besides its files. */
export interface ComparisonEnd {
  /** Exit code of what failed the run itself; null if nothing did. */
  readonly failed: ExitCode | null
  /** Exit code of the signal that ended it; null if none did. */
  readonly signal: ExitCode | null
}

/** Counts files one by one, without keeping them. */
export class ComparisonTally {
  readonly #codes = new Set<ExitCode>()
  readonly #files = new WordCounts()
  readonly #tables = new WordCounts()
  #rowsDiffering = 0
  #schemaDifferences = 0
  #results = 0

  add(file: FileComparison): void {
    for (const code of codesOf(file)) this.#codes.add(code)
    this.#files.add(file.comparison)
    for (const { comparison, differing } of file.tables) {
      this.#tables.add(comparison)
      this.#rowsDiffering += differing?.rows ?? 0
    }
    this.#schemaDifferences += file.schemaDifferences.length
    this.#results += [file.results.a, file.results.b].filter((result) => result !== null).length
  }

  /** Number of checks that the run reached. */
  get results(): number {
    return this.#results
  }

  /** A difference that was seen counts, even if other parts were not compared. */
  get outcome(): ComparisonOutcome {
    const { total, equal, notCompared } = this.#files.counts
    if (equal + notCompared < total) return 'differ'
    return total > 0 && equal === total ? 'equal' : 'inconclusive'
  }

  /**
   * The gravest code of all files. 5 (they differ) comes only if nothing graver is known. A tenant that may be paused
   * outweighs the signal, and the signal outweighs everything else.
   */
  exitCode({ failed, signal }: ComparisonEnd): ExitCode {
    const worst = gravest([...this.#codes, ...(failed === null ? [] : [failed])])
    return worst === exitCodes.maybePaused ? worst : (signal ?? worst)
  }

  get counts(): Omit<ComparisonSummary, 'exitCode'> {
    return {
      files: this.#files.counts,
      tables: this.#tables.counts,
      rowsDiffering: this.#rowsDiffering,
      schemaDifferences: this.#schemaDifferences,
    }
  }
}

/** The exit codes of a file: those of its checks, and that of the comparison. */
function codesOf({ comparison, why, results, tables }: FileComparison): readonly ExitCode[] {
  const ofChecks = [results.a, results.b].flatMap((result) => (result === null ? [] : [exitCodeOfResult(result)]))
  switch (comparison) {
    case 'only-in-a':
    case 'only-in-b':
      return [exitCodes.differ]
    case 'not-compared': // Checks that were not sound have said why.
      return gravest(ofChecks) === exitCodes.sound ? [exitCodes.inconclusive] : ofChecks
    case 'equal':
      return ofChecks
    case 'differs': {
      const wholly =
        why === null &&
        tables.every(
          (table) => table.comparison !== 'not-compared' && (table.why === null || table.comparison === 'differs'),
        )
      return [...ofChecks, exitCodes.differ, ...(wholly ? [] : [exitCodes.inconclusive])]
    }
  }
}

class WordCounts {
  readonly #counts: Record<ComparisonWord, number> = {
    equal: 0,
    differs: 0,
    'only-in-a': 0,
    'only-in-b': 0,
    'not-compared': 0,
  }

  add(word: ComparisonWord): void {
    this.#counts[word]++
  }

  get counts(): ComparisonCounts {
    const {
      equal,
      differs: differing,
      'only-in-a': onlyInA,
      'only-in-b': onlyInB,
      'not-compared': notCompared,
    } = this.#counts
    return {
      total: equal + differing + onlyInA + onlyInB + notCompared,
      equal,
      differing,
      onlyInA,
      onlyInB,
      notCompared,
    }
  }
}

export const comparisonWords = (code: number): string =>
  code === exitCodes.sound ? 'both are sound and hold the same' : exitCodeWords(code)
