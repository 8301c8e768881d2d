/** Makes the finding of one group of unmatched entries. */

import type { Finding } from '../../model/result/finding.ts'
import type { BadPageRanges } from '../../sqlite/accounting/bad-page-ranges.ts'
import { count } from '../../text/count.ts'
import type { CensusPlan, IndexPlan } from '../plan.ts'
import { compareRowKeys } from '../record/row-key.ts'
import type { PageOwners } from '../scan/page-owners.ts'
import { trailTo } from '../scan/page-owners.ts'
import type { EntryGroup } from './entry-groups.ts'
import { salvageColumnsOf, salvageFrom } from './salvage.ts'

/** Rows or keys that one finding names. */
const rowsMax = 20

/** What the caller wants beside the findings. */
export interface DifferenceOptions {
  /** Collects the pages of all wrong entries; null if the caller wants no map. */
  readonly places: BadPageRanges | null
  /** True if the findings list what the entries hold beside keys. */
  readonly showValues: boolean
}

export const findingsOnly: DifferenceOptions = { places: null, showValues: false }

export function findingOfGroup(
  plan: CensusPlan,
  index: IndexPlan,
  group: EntryGroup,
  agreeing: readonly string[],
  owners: PageOwners,
  { places, showValues }: DifferenceOptions,
): Finding {
  const { rule, total } = group
  const named = group.named
    .flatMap(({ key, values }) => (key === null ? [] : [{ key, values }]))
    .toSorted((a, b) => compareRowKeys(a.key, b.key))
  const pages = wrongPages(group)
  const page = pages[0] ?? 0
  if (places) for (const wrong of pages) places.add('disagreeing', wrong, rule, index.object)
  const salvage =
    rule === 'row-missing-from-index'
      ? undefined
      : salvageFrom(salvageColumnsOf(plan, index), total, showValues ? named : null)
  return {
    rule,
    severity: 'damage',
    source: 'census',
    object: index.object,
    rows: named.slice(0, rowsMax).map(({ key }) => key),
    total,
    ...(page === 0 ? {} : { page, trail: trailTo(owners, page) }),
    ...(agreeing.length === 0 ? {} : { agreeing }),
    ...(salvage === undefined ? {} : { salvage }),
    text: textOf(rule, total, index),
  }
}

/** Pages of the wrong entries, in order. None for a missing row: it stands on a page of the table, which is healthy. */
const wrongPages = ({ rule, named }: EntryGroup): readonly number[] =>
  rule === 'row-missing-from-index'
    ? []
    : named
        .map(({ page }) => page)
        .filter((page) => page > 0)
        .toSorted((a, b) => a - b)

function textOf(rule: EntryGroup['rule'], total: number, { object }: IndexPlan): string {
  const table = object.table ?? ''
  switch (rule) {
    case 'row-missing-from-index':
      return `${count(total, 'row')} of ${table} ${total === 1 ? 'is' : 'are'} missing from index ${object.name}`
    case 'entry-without-row':
      return (
        `${count(total, 'entry', 'entries')} of index ${object.name} ` +
        `${total === 1 ? 'has' : 'have'} no row in ${table}`
      )
    case 'entry-differs-from-row':
      return (
        `${count(total, 'entry', 'entries')} of index ${object.name} ` +
        `${total === 1 ? 'differs' : 'differ'} from the row in ${table}`
      )
  }
}
