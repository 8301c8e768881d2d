/**
 * A page that the disk refused makes SQLite say more than that: of entries that it did not count, of pages that it did
 * not come to, of lists that it could not follow. None of that speaks of the data.
 */
import type { Reading } from '../../model/result/reading.ts'
import type { Observation } from './observation.ts'

/** Leaves out what follows from unread pages. The pages themselves stay: they keep the reading from being whole. */
export function withoutConsequences(
  observations: readonly Observation[],
  reading: Pick<Reading, 'engine' | 'facts'>,
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
  const said = observations.filter((observation) => !follows(observation))
  return isPointerMapWhole(reading) ? said.map((observation) => asUnreadPointerMap(observation)) : said
}

/** Our own accounting compares every entry of the pointer map. */
const isPointerMapWhole = ({ engine, facts }: Pick<Reading, 'engine' | 'facts'>): boolean =>
  engine === 'census' && !facts.some((fact) => fact.kind === 'found' && fact.finding.rule === 'pointer-map-wrong')

/** SQLite says the same of an entry that makes no sense and of one that the disk refused. */
const asUnreadPointerMap = (observation: Observation): Observation =>
  observation.rule === 'pointer-map-wrong' && observation.detail.startsWith('Failed to read ptrmap')
    ? { ...observation, bearing: 'unread', detail: 'the pointer map could not be read' }
    : observation
