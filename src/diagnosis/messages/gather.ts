/** Gathers observations that say the same about the same object into findings, with exact totals. */

import type { Finding, FoundObject, RowKey, Severity } from '../../model/result/finding.ts'
import { writeSentence } from '../sentence.ts'
import type { Observation } from './observation.ts'

/** A finding lists at most this many rows; its total is exact. */
const rowsMax = 20
/** At most this many pages of one object have their own finding; one more finding counts the others. */
const pagesApartMax = 20

/** The order of the observations does not matter. */
export function gather(observations: readonly Observation[]): readonly Finding[] {
  const groups = groupBy(observations.map(withoutPageOfLeak), (observation) => keyOf(observation))
  const folded = groupBy([...groups.values()], ([first]) => (first ? keyOf({ ...first, page: null }) : ''))
  return [...folded.values()].flatMap((pages) => {
    const inOrder = pages.toSorted((a, b) => (a[0]?.page ?? 0) - (b[0]?.page ?? 0))
    if (inOrder.length <= pagesApartMax) return inOrder.flatMap(asFinding)
    return [
      ...inOrder.slice(0, pagesApartMax).flatMap(asFinding),
      ...asFinding(
        inOrder
          .slice(pagesApartMax)
          .flat()
          .map((one) => ({ ...one, page: null })),
      ),
    ]
  })
}

const severityOf = (observation: Observation): Severity =>
  observation.bearing === 'content' || observation.bearing === 'unread' ? 'notice' : observation.bearing

/** Lost pages may be thousands: one finding lists them all. */
const withoutPageOfLeak = (observation: Observation): Observation =>
  observation.rule === 'page-unowned' && observation.page !== null
    ? { ...observation, page: null, target: observation.page }
    : observation

const keyOf = ({ rule, object, bearing, page, detail }: Observation): string =>
  JSON.stringify([rule, object.kind, object.name, object.table, bearing, page, rule === 'engine-says' ? detail : null])

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const name = key(item)
    const group = groups.get(name)
    if (group) group.push(item)
    else groups.set(name, [item])
  }
  return groups
}

function asFinding(group: readonly Observation[]): readonly Finding[] {
  const [first] = group
  if (!first) return []
  const total = group.reduce((sum, { count }) => sum + count, 0)
  const rows = distinctRows(group.flatMap((observation) => observation.rows))
  const pages = distinctNumbers(group.flatMap(({ target }) => (target === null ? [] : [target])))
  const page = first.rule === 'page-unowned' && pages.length === 1 ? pages[0] : (first.page ?? undefined)
  const details = [...new Set(group.map(({ detail }) => detail))].filter((detail) => detail !== '').toSorted(byCodeUnit)
  const object: FoundObject = first.object
  return [
    {
      rule: first.rule,
      severity: severityOf(first),
      source: 'sqlite',
      object,
      ...(page === undefined ? {} : { page }),
      ...(rows.length === 0 ? {} : { rows: rows.slice(0, rowsMax) }),
      total,
      text: writeSentence({
        rule: first.rule,
        bearing: first.bearing,
        object,
        page: page ?? null,
        pages,
        total,
        details,
      }),
    },
  ]
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const distinctNumbers = (numbers: readonly number[]): readonly number[] =>
  [...new Set(numbers)].toSorted((a, b) => a - b)

function distinctRows(rows: readonly RowKey[]): readonly RowKey[] {
  const byText = new Map(rows.map((row) => [JSON.stringify(row), row]))
  return [...byText.values()].toSorted((a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b
    return byCodeUnit(JSON.stringify(a), JSON.stringify(b))
  })
}
