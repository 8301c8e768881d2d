/** One word for several comparisons, and the exit code of all. */

import { exitCodes, gravest, type ExitCode } from '../../model/exit-code.ts'
import type { CopiesCounts, CopiesOfFile, CopiesWord, FleetComparison } from './fleet-comparison.ts'

/** A difference is one, even if other parts could not be compared. @param doubted true if something was not read */
export function judgeCopies(words: readonly CopiesWord[], doubted: boolean): CopiesWord {
  if (words.includes('differs')) return 'differs'
  return doubted || words.includes('not-compared') ? 'not-compared' : 'equal'
}

/** @param more true if the fleet has more copies than were compared */
export function outcomeOfCopies(files: readonly CopiesOfFile[], more: boolean): FleetComparison['outcome'] {
  const word = judgeCopies(
    files.map(({ comparison }) => comparison),
    more || files.length === 0,
  )
  return word === 'equal' ? 'equal' : word === 'differs' ? 'differ' : 'inconclusive'
}

/** 5 only if all copies are sound, and all that they have was compared. */
export function exitCodeOfCopies(files: readonly CopiesOfFile[], more: boolean): ExitCode {
  const codes = files.flatMap(({ comparison, copies, tables, schema, why }): readonly ExitCode[] => [
    ...(copies.some(({ verdict }) => verdict === 'damaged') ? [exitCodes.damaged] : []),
    ...(comparison === 'differs' ? [exitCodes.differ] : []),
    ...(why !== null || [schema, ...tables.map((table) => table.comparison)].includes('not-compared')
      ? [exitCodes.inconclusive]
      : []),
  ])
  return gravest([...codes, ...(more || files.length === 0 ? [exitCodes.inconclusive] : [])])
}

export function countCopies(words: readonly CopiesWord[]): CopiesCounts {
  const of = (word: CopiesWord): number => words.filter((one) => one === word).length
  return { total: words.length, equal: of('equal'), differing: of('differs'), notCompared: of('not-compared') }
}
