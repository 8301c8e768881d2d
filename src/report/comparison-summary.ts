/** What a comparison comes to: in a word, in numbers, and as an exit code. */
import type { Compared, Comparison, ComparisonOutcome, ComparisonSummary } from '../model/comparison.ts'
import { exitCodeOfResult, exitCodes, gravest, type ExitCode } from '../model/exit-code.ts'
import { exitCodeWords } from './summary.ts'

/** A difference that was seen is one, whatever was not compared besides. */
export function outcomeOf(comparison: Comparison | null): ComparisonOutcome {
  if (comparison === null) return 'inconclusive'
  const { tables, schemaDifferences, why } = comparison
  if (schemaDifferences.length > 0 || tables.some((table) => table.comparison !== 'equal' && table.comparison !== 'not-compared')) return 'differ'
  return why !== null || tables.some((table) => table.comparison === 'not-compared') ? 'inconclusive' : 'equal'
}

/**
 * The gravest of what both sides and the comparison say: that the two differ (5) is said where nothing else is to be said of them.
 * @param signal code of the signal that ended the run; null when none did
 */
export function exitCodeOfComparison({ sides, comparison }: Compared, signal: ExitCode | null): ExitCode {
  const codes = [sides.a, sides.b].flatMap(({ result }) => (result === null ? [] : [exitCodeOfResult(result)]))
  const wholly = comparison !== null && comparison.why === null && comparison.tables.every((table) => table.comparison !== 'not-compared' && (table.why === null || table.comparison === 'differs'))
  if (comparison !== null && !wholly) codes.push(exitCodes.inconclusive)
  if (outcomeOf(comparison) === 'differ') codes.push(exitCodes.differ)
  const worst = gravest(codes)
  if (worst === exitCodes.maybePaused) return worst
  return signal ?? (comparison === null && worst === exitCodes.sound ? exitCodes.inconclusive : worst)
}

export function summaryOfComparison(comparison: Comparison | null, exitCode: ExitCode): ComparisonSummary {
  const tables = comparison?.tables ?? []
  const count = (word: (typeof tables)[number]['comparison']): number => tables.filter((table) => table.comparison === word).length
  return {
    tables: tables.length, equal: count('equal'), differing: count('differs'), onlyInA: count('only-in-a'), onlyInB: count('only-in-b'), notCompared: count('not-compared'),
    rowsDiffering: tables.reduce((sum, { differing }) => sum + (differing?.rows ?? 0), 0), schemaDifferences: comparison?.schemaDifferences.length ?? 0, exitCode,
  }
}

export const comparisonWords = (code: number): string => (code === exitCodes.sound ? 'both are sound and hold the same' : exitCodeWords(code))
