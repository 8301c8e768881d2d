/**
 * If the disk refuses a page, SQLite also reports what follows from that. It did not count some entries, reach some
 * pages, or follow some lists. None of this is about the data.
 */

import type { Reading } from '../../model/result/reading.ts'
import type { Observation } from './observation.ts'

/**
 * Leaves out what follows from unread pages. The pages themselves stay: because of them the reading is not complete.
 */
export function withoutConsequences(
  observations: readonly Observation[],
  reading: Pick<Reading, 'engine' | 'facts' | 'coverage'>,
): readonly Observation[] {
  const unread = observations.filter(({ rule, bearing }) => rule === 'page-unreadable' && bearing === 'unread')
  const isUnread = (...names: readonly (string | null)[]): boolean =>
    unread.some(({ object }) => object.kind === 'file' || names.includes(object.name))
  const follows = ({ rule, object }: Observation): boolean => {
    switch (rule) {
      case 'index-count-differs':
        return isUnread(object.name, object.table)
      case 'page-unowned':
        return unread.length > 0
      case 'overflow-broken':
      case 'freelist-broken':
        return isUnread(object.name)
      default:
        return false
    }
  }
  const remaining = observations.filter((observation) => !follows(observation))
  if (!isPointerMapWhole(reading)) return remaining
  return remaining.filter((observation) => !isBeyondFile(observation, reading)).map(asUnreadPointerMap)
}

/** A pointer leads beyond the end of the file, which another finding says: the pointer map has no entry for it. */
const isBeyondFile = ({ rule, page }: Observation, { coverage }: Pick<Reading, 'coverage'>): boolean =>
  rule === 'pointer-map-wrong' && page !== null && page > coverage.pages

/** Our page accounting compares every entry of the pointer map. */
const isPointerMapWhole = ({ engine, facts }: Pick<Reading, 'engine' | 'facts'>): boolean =>
  engine === 'census' && !facts.some((fact) => fact.kind === 'found' && fact.finding.rule === 'pointer-map-wrong')

/** SQLite reports an invalid entry and an entry that the disk refused in the same way. */
const asUnreadPointerMap = (observation: Observation): Observation =>
  observation.rule === 'pointer-map-wrong' && observation.detail.startsWith('Failed to read ptrmap')
    ? { ...observation, bearing: 'unread', detail: 'the pointer map could not be read' }
    : observation
