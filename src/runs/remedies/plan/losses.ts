/** What a restore loses, table by table: the live file compared with what would take its place. Pure. */

import type { Comparison, DifferingRows, TableComparison } from '../../../model/result/comparison.ts'
import type { RowKey } from '../../../model/result/finding.ts'
import type { TableLoss } from '../../../model/result/remedy.ts'
import type { ReportedTable } from '../../../model/result/verdict.ts'

const keysMax = 20

/**
 * @param compared the live file is A, the result B
 * @param live tables of the live file, as its check counted them
 * @returns tables with rows that are lost, changed, unreadable, or that come back
 * @returns null if the two could not be compared
 */
export function lossesBetween(compared: Comparison, live: readonly ReportedTable[]): readonly TableLoss[] | null {
  if (compared.why !== null) return null
  const unreadable = new Map(live.map((table) => [table.name, table.unreadable === undefined ? 0 : table.unreadable]))
  return compared.tables.filter(holdsRowsOfPeople).flatMap((table) => {
    const loss = lossOf(table, unreadable.get(table.name) ?? 0)
    return loss === null || isNothing(loss) ? [] : [loss]
  })
}

const isNothing = ({ lost, changed, recovered, unreadable }: TableLoss): boolean =>
  [lost, changed, recovered, unreadable].every((rows) => rows === 0)

/** A module keeps rows of people and its own index in tables of its own. The latter differ for equal rows. */
const holdsRowsOfPeople = ({ name, partOf }: TableComparison): boolean => partOf === null || name.endsWith('_content')

function lossOf(table: TableComparison, unreadable: number | null): TableLoss | null {
  const { comparison, rows, differing, partOf } = table
  const name = partOf ?? table.name
  switch (comparison) {
    case 'equal':
      return null
    case 'only-in-a':
      return { ...nothing(name), lost: rows.a, keysTotal: rows.a }
    case 'only-in-b':
      return { ...nothing(name), recovered: rows.b }
    case 'not-compared':
      // What could be read of it is equal: rows that cannot be read may come back.
      return { ...nothing(name), inBoth: rows.a, recovered: backIn(rows.a, rows.b), unreadable }
    case 'differs':
      if (differing === null)
        return {
          ...nothing(name),
          inBoth: null,
          lost: null,
          changed: null,
          recovered: null,
          unreadable,
          keysTotal: null,
        }
      return {
        table: name,
        inBoth: rows.b === null ? null : Math.max(0, rows.b - differing.onlyInB.total - differing.different.total),
        lost: orUnknown(differing.exact, differing.onlyInA.total),
        changed: orUnknown(differing.exact, differing.different.total),
        recovered: orUnknown(differing.exact, differing.onlyInB.total),
        unreadable,
        keys: firstKeys(differing.onlyInA, differing.different),
        keysTotal: orUnknown(differing.exact, differing.onlyInA.total + differing.different.total),
      }
  }
}

const nothing = (table: string): TableLoss => ({
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
