/** The comparison of a pair of files, or of a file that only one side has. */

import type { Comparison, ComparisonWord, FileComparison, SidePair } from '../model/result/comparison.ts'
import type { Result } from '../model/result/report.ts'

/** A pair of which at least one file was checked. @param comparison null if one of the two could not be read */
export function comparedFile(
  name: string,
  paths: SidePair<string>,
  results: FileComparison['results'],
  comparison: Comparison | null,
): FileComparison {
  if (comparison === null) return { ...notRead(name, paths, whyUnread(results)), results }
  return { name, paths, comparison: wordOf(comparison), ...comparison, results }
}

/** @param path of the side that has the file */
export function fileOfOneSide(word: 'only-in-a' | 'only-in-b', name: string, path: string): FileComparison {
  const paths = word === 'only-in-a' ? { a: path, b: null } : { a: null, b: path }
  return { ...notRead(name, paths, null), comparison: word }
}

/** A pair that the run did not reach or did not finish. */
export const fileNotReached = (name: string, paths: SidePair<string>): FileComparison =>
  notRead(name, paths, 'the run ended before it was done with this file')

const notRead = (name: string, paths: FileComparison['paths'], why: string | null): FileComparison => ({
  name,
  paths,
  comparison: 'not-compared',
  why,
  results: { a: null, b: null },
  tables: [],
  schemaDifferences: [],
})

/** A difference is one, even if other parts could not be compared. */
function wordOf({ tables, schemaDifferences, why }: Comparison): ComparisonWord {
  if (
    schemaDifferences.length > 0 ||
    tables.some((table) => table.comparison !== 'equal' && table.comparison !== 'not-compared')
  )
    return 'differs'
  return why !== null || tables.some((table) => table.comparison === 'not-compared') ? 'not-compared' : 'equal'
}

function whyUnread({ a, b }: SidePair<Result | null>): string {
  const unread = (
    [
      ['A', a],
      ['B', b],
    ] as const
  )
    .filter(([, result]) => result !== null && result.readBy === null)
    .map(([side]) => side)
  return `${unread.join(' and ')} could not be read`
}
