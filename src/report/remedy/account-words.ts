/** An account for people: one line for each table, and the first keys of the rows that are not in the result. */

import type { AccountSummary, LostRange, SummedRows, TableSummary } from '../../model/result/account.ts'
import { count, groupDigits, listFirst } from '../../text/count.ts'
import { legibleName } from '../text/legible.ts'
import { printableKey } from '../text/problem.ts'

/** Keys, or ranges of them. */
const shownMax = 5

/** Tables in the order of the account. Those whose rows were all kept are one sentence together. */
export function describeAccount({ tables, dropped }: AccountSummary): readonly string[] {
  const same = tables.filter(isUnchanged)
  const entries = dropped === 1 ? 'entry is' : 'entries are'
  return [
    ...tables.filter((table) => !isUnchanged(table)).flatMap(describeTable),
    ...(same.length === 0 ? [] : [unchangedTables(same, same.length === tables.length)]),
    ...(dropped === 0 ? [] : [`${groupDigits(dropped)} index ${entries} dropped; the account holds the values`]),
  ]
}

const isUnchanged = ({ rows, pages, lostRanges }: TableSummary): boolean =>
  pages === 0 && lostRanges.total === 0 && Object.values(rows).every(({ total }) => total === 0)

function unchangedTables(tables: readonly TableSummary[], all: boolean): string {
  const [first] = tables
  const rows = tables.reduce((sum, { kept }) => sum + kept, 0)
  const isOne = tables.length === 1 && first !== undefined
  const named = isOne ? legibleName(first.table) : `${all ? 'all' : 'the other'} ${groupDigits(tables.length)} tables`
  return `${named}: ${count(rows, 'row')} kept, nothing else`
}

function describeTable({ table, kept, rows, pages, lostRanges }: TableSummary): readonly string[] {
  const { added, conflicting, ofBackup, leftOut, deleted, unreadable, orphaned, fromIndex, doubted } = rows
  const newer = conflicting.total - ofBackup.total - leftOut.total
  const conflicts = [
    `${groupDigits(newer)} newer`,
    `${groupDigits(ofBackup.total)} of the backup`,
    ...(leftOut.total === 0 ? [] : [`${groupDigits(leftOut.total)} LEFT OUT`]),
  ].join(', ')
  const sums = [
    `${count(kept, 'row')} kept`,
    ...(added.total === 0 ? [] : [`${groupDigits(added.total)} added`]),
    ...(conflicting.total === 0 ? [] : [`${groupDigits(conflicting.total)} conflicting (${conflicts})`]),
    ...(deleted.total === 0 ? [] : [`${groupDigits(deleted.total)} deleted`]),
    ...(unreadable.total === 0 ? [] : [`${groupDigits(unreadable.total)} UNREADABLE`]),
    ...(orphaned.total === 0 ? [] : [`${groupDigits(orphaned.total)} orphaned`]),
    ...(fromIndex.total === 0 ? [] : [`${groupDigits(fromIndex.total)} rebuilt from indexes`]),
    ...(doubted.total === 0 ? [] : [`${groupDigits(doubted.total)} CONTRADICTED by an index`]),
    ...(pages === 0 ? [] : [`${count(pages, 'page')} unreadable`]),
  ]
  return [
    `${legibleName(table)}: ${sums.join(', ')}`,
    ...firstKeys('unreadable', unreadable),
    ...firstKeys('left out', leftOut),
    ...firstKeys('orphaned', orphaned),
    ...firstKeys('contradicted', doubted),
    ...describeRanges(lostRanges),
  ]
}

function firstKeys(what: string, { total, keys }: SummedRows): readonly string[] {
  if (total === 0) return []
  const shown = keys.slice(0, shownMax).map(printableKey)
  return [`  ${what}: ${listFirst(shown, total)}`]
}

function describeRanges({ total, first }: TableSummary['lostRanges']): readonly string[] {
  if (total === 0) return []
  const shown = first.slice(0, shownMax)
  const more = total - shown.length
  return [
    ...shown.map((range) => `  ${whichRows(range)} cannot be known: their pages are lost`),
    ...(more === 0
      ? []
      : [`  ${groupDigits(more)} more such ${more === 1 ? 'range is' : 'ranges are'} in the account`]),
  ]
}

function whichRows({ after, before }: LostRange): string {
  if (after !== null && before !== null)
    return `rows with keys between ${printableKey(after)} and ${printableKey(before)}`
  if (after !== null) return `rows with keys after ${printableKey(after)}`
  return before === null ? 'rows with any key' : `rows with keys before ${printableKey(before)}`
}
