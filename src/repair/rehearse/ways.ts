/** What the check of a file says about the way to mend it. */

import type { Finding, Rule } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { MendOrder } from '../mend/mend-order.ts'
import type { MendMethod } from '../mend/mend.ts'

/** The ways to try, the cheapest first. A broken tree is never cleared: its pointers may lead into other trees. */
export function waysOf(reading: Reading, mending: MendOrder): readonly MendMethod[] {
  if (mending.do === 'rewrite') return ['rewritten']
  const names = new Set([...mending.indexes, ...mending.fts])
  const broken = foundIn(reading).some(({ rule, object }) => names.has(object.name) && breaksTree.has(rule))
  return broken ? ['rewritten'] : ['in-place', 'rewritten']
}

const breaksTree: ReadonlySet<Rule> = new Set([
  'page-unreadable',
  'page-malformed',
  'page-out-of-range',
  'page-used-twice',
  'wrong-depth',
  'overflow-broken',
])

/** Indexes that may have entries which their tables lack. Without a full census this is not known of any. */
export function doubtfulIndexes(reading: Reading, indexes: readonly string[]): readonly string[] {
  if (reading.engine !== 'census' || reading.depth !== 'full' || !reading.complete) return indexes
  const found = foundIn(reading)
  return indexes.filter(
    (name) =>
      found.some(({ rule, object }) => object.name === name && hasExtraEntries.has(rule)) ||
      reading.facts.some((fact) => fact.kind === 'message' && fact.text.includes(name)),
  )
}

const hasExtraEntries: ReadonlySet<Rule> = new Set([
  'entry-without-row',
  'entry-differs-from-row',
  'index-count-differs',
])

/** Pages of these indexes that hold no readable entries any more, in order. */
export function unreadPagesOf(reading: Reading, indexes: readonly string[]): readonly number[] {
  const pages = foundIn(reading).flatMap(({ rule, object, page }) =>
    page !== undefined && indexes.includes(object.name) && breaksTree.has(rule) ? [page] : [],
  )
  return [...new Set(pages)].toSorted((a, b) => a - b)
}

const foundIn = ({ facts }: Reading): readonly Finding[] =>
  facts.flatMap((fact) => (fact.kind === 'found' ? [fact.finding] : []))
