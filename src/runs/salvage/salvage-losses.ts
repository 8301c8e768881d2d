/** What a salvage could not bring back, in the form of a plan. Pure. */

import type { AccountSummary } from '../../model/result/account.ts'
import { unknownLoss, type TableLoss } from '../../model/result/remedy.ts'
import type {
  ContradictedIndex,
  LostObject,
  SalvageResult,
  SalvagedTable,
} from '../../repair/salvage/salvage-result.ts'
import { count } from '../../text/count.ts'

/** Empty if the new file holds everything that the damaged one had, and nothing says otherwise. */
export function lossesOf(
  { tables, lostObjects }: SalvageResult,
  { tables: accounts }: AccountSummary,
): readonly TableLoss[] {
  const keysOf = new Map(accounts.map(({ table, rows }) => [table, rows]))
  return [
    ...tables
      .filter((one) => lacksRows(one) || one.doubted > 0)
      .map((one): TableLoss => {
        const { unreadable, orphaned, doubted } = keysOf.get(one.table) ?? {}
        return {
          table: one.table,
          inBoth: one.rows - one.fromIndex - one.doubted,
          lost: one.lostRanges > 0 || one.table === one.orphanedTable ? null : one.unreadable + one.orphaned,
          changed: 0,
          recovered: one.fromIndex,
          unreadable: one.unreadable,
          ...(one.doubted === 0 ? {} : { doubted: one.doubted }),
          keys: [unreadable, orphaned, doubted].flatMap((rows) => rows?.keys ?? []).slice(0, 20),
          keysTotal: one.unreadable + one.orphaned + one.doubted,
        }
      }),
    ...lostObjects.map(lossOfObject),
  ]
}

const lacksRows = ({ orphaned, unreadable, lostRanges }: SalvagedTable): boolean =>
  orphaned > 0 || unreadable > 0 || lostRanges > 0

const lossOfObject = ({ kind, name, why }: LostObject): TableLoss =>
  unknownLoss(`${name ?? 'an object that is not known'} (${kind}: ${why})`)

/** One sentence. */
export function sentenceOf({ tables, lostObjects, contradicted }: SalvageResult): string {
  const incomplete = tables.filter(lacksRows)
  const doubted = tables.reduce((sum, table) => sum + table.doubted, 0)
  const orphaned = tables.reduce((sum, table) => sum + table.orphaned, 0)
  const fromIndex = tables.reduce((sum, table) => sum + table.fromIndex, 0)
  const parts = [
    incomplete.length === 0
      ? `all rows of ${count(tables.length, 'table')} were read`
      : `${incomplete.length} of ${count(tables.length, 'table')} lack rows`,
    ...(fromIndex === 0 ? [] : [`${count(fromIndex, 'row was', 'rows were')} rebuilt from indexes`]),
    ...(orphaned === 0
      ? []
      : [`${count(orphaned, 'row is', 'rows are')} in tables of their own (holdfast_orphaned_…)`]),
    ...(doubted === 0
      ? []
      : [`${count(doubted, 'row')} in the tables ${doubted === 1 ? 'differs' : 'differ'} from an index`]),
    ...contradicted.map(sentenceOfUnique),
    ...(lostObjects.length === 0 ? [] : [`${count(lostObjects.length, 'object')} of the schema could not be read`]),
  ]
  return parts.join('; ')
}

function sentenceOfUnique({ index, rows, undecided }: ContradictedIndex): string {
  const which = 'nothing says which row is right, and the first one stayed'
  return (
    `${count(rows, 'row contradicts', 'rows contradict')} UNIQUE ${index}` +
    (undecided === 0 ? '' : `: of ${count(undecided, 'key')} ${which}`)
  )
}
