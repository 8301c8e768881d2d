/** What a restore loses, table by table: the live file compared with what would take its place. Pure. */

import type { Comparison, DifferingRows, RowDifferences, TableComparison } from '../../../model/result/comparison.ts'
import type { RowKey } from '../../../model/result/finding.ts'
import { unknownLoss, type TableLoss } from '../../../model/result/remedy.ts'
import type { ReportedTable, TableContent } from '../../../model/result/verdict.ts'

const keysMax = 20

/**
 * @param compared the live file is A, the result B
 * @param live tables of the live file, as its check counted them
 * @param schemaIsWhole false if the live file may have tables that its check did not see
 * @returns tables with rows that are lost, changed, unreadable, or that come back
 * @returns null if the two could not be compared
 */
export function lossesBetween(
  compared: Comparison,
  live: readonly ReportedTable[],
  schemaIsWhole: boolean,
): readonly TableLoss[] | null {
  if (compared.why !== null) return null
  const unreadable = new Map(live.map((table) => [table.name, table.unreadable]))
  const losses = compared.tables.filter(holdsRowsOfPeople).flatMap((table) => {
    if (!schemaIsWhole && table.comparison === 'only-in-b') return [unknownLoss(table.partOf ?? table.name)]
    const counted = unreadable.get(table.name)
    // A table that was read wholly has no such number, and neither has one that nobody could count.
    const loss = lossOf(table, counted === undefined ? (table.why === null ? 0 : null) : counted)
    return loss === null || isNothing(loss) ? [] : [loss]
  })
  return schemaIsWhole ? losses : [...losses, unknownLoss(otherTables)]
}

/**
 * Where the live file could not be compared: what is lost of any table is not known, and never empty.
 * @param tables of the two files, as far as they are known
 */
export const unknownLosses = (...tables: readonly (readonly TableContent[])[]): readonly TableLoss[] =>
  [...new Set(tables.flatMap((some) => some.map(({ name }) => name)).filter(isOfPeople)), otherTables].map(unknownLoss)

const otherTables = 'other tables of the live file'
const isOfPeople = (table: string): boolean => !table.startsWith('sqlite_')

const isNothing = ({ lost, changed, recovered, unreadable }: TableLoss): boolean =>
  [lost, changed, recovered, unreadable].every((rows) => rows === 0)

/** A module keeps rows of people and its own index in tables of its own. The latter differ for equal rows. */
const holdsRowsOfPeople = ({ name, partOf }: TableComparison): boolean => partOf === null || name.endsWith('_content')

function lossOf(table: TableComparison, unreadable: number | null): TableLoss | null {
  const { comparison, rows, digest, differing, partOf } = table
  const name = partOf ?? table.name
  switch (comparison) {
    case 'equal':
      return null
    case 'only-in-a': {
      const lost = plus(rows.a, unreadable)
      return { ...noLoss(name), lost, unreadable, keysTotal: lost }
    }
    case 'only-in-b':
      return { ...noLoss(name), recovered: rows.b }
    case 'not-compared': {
      if (digest.a === null || digest.b === null) return { ...unknownLoss(name), unreadable }
      // What could be read of it is equal: rows that cannot be read may come back.
      const recovered = backIn(rows.a, rows.b)
      const lost = notBack(unreadable, recovered)
      return { ...noLoss(name), inBoth: rows.a, lost, recovered, unreadable, keysTotal: lost }
    }
    case 'differs':
      return differing === null ? { ...unknownLoss(name), unreadable } : lossOfRows(name, rows.b, differing, unreadable)
  }
}

function lossOfRows(
  table: string,
  rowsOfResult: number | null,
  { exact, onlyInA, onlyInB, different }: RowDifferences,
  unreadable: number | null,
): TableLoss {
  const changed = orUnknown(exact, different.total)
  const recovered = orUnknown(exact, onlyInB.total)
  const lost = plus(orUnknown(exact, onlyInA.total), notBack(unreadable, recovered))
  return {
    table,
    inBoth: rowsOfResult === null ? null : Math.max(0, rowsOfResult - onlyInB.total - different.total),
    lost,
    changed,
    recovered,
    unreadable,
    keys: firstKeys(onlyInA, different),
    keysTotal: plus(lost, changed),
  }
}

/**
 * Unreadable rows that the result cannot have either. Rows that were deleted since the backup come back too, and cannot
 * be told from unreadable ones: so this is the least number.
 */
const notBack = (unreadable: number | null, recovered: number | null): number | null =>
  unreadable === 0 ? 0 : unreadable === null || recovered === null ? null : Math.max(0, unreadable - recovered)

const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b)

const noLoss = (table: string): TableLoss => ({
  table,
  inBoth: 0,
  lost: 0,
  changed: 0,
  recovered: 0,
  unreadable: 0,
  keys: [],
  keysTotal: 0,
})

const backIn = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.max(0, b - a)

/** A lower bound is no number to decide by. */
const orUnknown = (exact: boolean, total: number): number | null => (exact ? total : null)

const firstKeys = (...lists: readonly DifferingRows[]): readonly RowKey[] =>
  lists.flatMap(({ keys }) => keys).slice(0, keysMax)
