/** The parts that were not read. */

import type { Reading } from '../../model/result/reading.ts'
import { count, groupDigits } from '../../text/count.ts'
import type { DiagnosisContext } from '../context.ts'
import { isAccepted, limitOf } from '../limits.ts'
import { nameObject } from '../sentence.ts'
import type { Observation } from './observation.ts'
import type { UnreadObject } from './thrown.ts'

export interface UnreadPart {
  /** The name of the object; null for the reading as a whole. */
  readonly what: string | null
  readonly clause: string
  /** The topic of `holdfast explain` for it. */
  readonly topic: string
}

/**
 * Distinct parts, in order, that were not read and that the configuration does not accept. Empty if everything was
 * read.
 */
export function unreadParts(
  reading: Reading,
  context: DiagnosisContext,
  thrown: readonly UnreadObject[],
  observations: readonly Observation[],
): readonly UnreadPart[] {
  const skipped = reading.coverage.skipped.filter((part) => !isAccepted(part, context))
  const threw = thrown.filter(({ what, why }) => !isAccepted({ object: what, why }, context))
  const unreadPages = observations.filter(({ bearing }) => bearing === 'unread')
  const parts = new Map<string, UnreadPart>()
  const add = (what: string | null, clause: string, topic = 'inconclusive'): void => {
    parts.set(clause, { what, clause, topic })
  }
  const limit = (why: string): string | undefined => limitOf(why) ?? undefined

  for (const { object, why } of skipped) add(object, `${object}: ${why}`, limit(why))
  for (const { what, why } of threw)
    if (!skipped.some(({ object }) => object === what)) add(what, `${what}: ${why}`, limit(why))
  const pages = unreadPages.filter(({ rule }) => rule === 'page-unreadable')
  if (pages.length > 0)
    add('pages', `${count(pages.length, 'page')} could not be read from the disk`, 'page-unreadable')
  for (const { detail, object, rule } of unreadPages) {
    if (rule !== 'page-unreadable') add(rule, rule === 'fts-broken' ? `${nameObject(object)}: ${detail}` : detail, rule)
  }
  if (reading.depth === 'sample') add('sample', sampleClause(reading), 'sample')
  // An accepted part may have stopped the check too: then the reading is as complete as requested.
  const accounted = reading.coverage.skipped.length > 0 || thrown.length > 0
  if (!reading.complete && parts.size === 0 && !accounted) add(null, 'the check stopped before its end')
  return [...parts.values()].toSorted((a, b) => (a.clause < b.clause ? -1 : 1))
}

/** Never sound: most of the file was not read. */
function sampleClause({ sampled, coverage: { pages } }: Reading): string {
  if (sampled === null) return 'the sample of its pages was not read to its end'
  const { first, last } = sampled
  const share = pages === 0 ? 0 : Math.min(100, ((last - first + 1) / pages) * 100)
  return (
    `only a sample was read, pages ${groupDigits(first)} to ${groupDigits(last)} of ${groupDigits(pages)} ` +
    `(${share.toFixed(1)} %), and nothing is wrong there`
  )
}
