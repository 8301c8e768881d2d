/**
 * Draws the map of a result from the pages that a check accounted for. Root pages become objects, and findings mark the
 * pages that they name. Pure.
 */

import type { Finding, FoundObject } from '../model/result/finding.ts'
import { pageStates, placesMax } from '../model/result/page-map.ts'
import type { BadPageRange, DrawnMap, MappedPages, PageGroups, PageMap, PageState } from '../model/result/page-map.ts'
import type { Reading } from '../model/result/reading.ts'
import { disagreementRules } from './messages/merge.ts'
import { viewSchema } from './messages/schema-view.ts'
import type { SchemaView } from './messages/schema-view.ts'

/** A map lists at most this many objects. */
const ownersMax = 100

/** @param findings all findings: the check has marked what it found itself, and messages of SQLite name more pages */
export function drawMap(reading: Pick<Reading, 'map' | 'objects' | 'owners'>, findings: readonly Finding[]): PageMap {
  const { map } = reading
  if (map === null) return { kind: 'none', why: 'no map was requested' }
  if (map.kind === 'none') return map
  const { accounted, entries } = map
  const others = [...entries.places, ...placesOf(map, findings)]
  const damage = new Damage(accounted, others)
  const owners = ownersOf(accounted, damage, viewSchema(reading))
  const places = [...accounted.bad.places, ...others].toSorted((a, b) => a.first - b.first || a.last - b.last)
  return {
    kind: 'drawn',
    pageSize: accounted.pageSize,
    pages: accounted.pages,
    pagesPerCell: accounted.pagesPerGroup,
    counts: {
      ...accounted.counts,
      damaged: accounted.counts.damaged + damage.damaged,
      disagreeing: damage.disagreeing,
    },
    owners: owners.named.map(({ object, pages, damagedPages }) => ({ object, pages, damagedPages })),
    ownersMore: owners.more,
    cells: cellsOf(map, others, new Map(owners.named.map(({ root }, i) => [root, i]))),
    places: places.slice(0, placesMax),
    placesMore: accounted.bad.more + entries.more + pagesOf(places.slice(placesMax)),
  }
}

const pagesOf = (places: readonly BadPageRange[]): number =>
  places.reduce((sum, { first, last }) => sum + last - first + 1, 0)

/** Pages that a finding names and that are not marked for it yet. */
function placesOf({ accounted, entries }: MappedPages, findings: readonly Finding[]): readonly BadPageRange[] {
  const known = [...accounted.bad.places, ...entries.places]
  return findings.flatMap(({ rule, severity, object, page }): readonly BadPageRange[] => {
    if (page === undefined || page < 1 || page > accounted.pages || severity === 'notice') return []
    const state = severity === 'leak' ? 'unowned' : disagreementRules.has(rule) ? 'disagreeing' : 'damaged'
    const marked = known.some(
      (place) => place.rule === rule && place.state === state && place.first <= page && page <= place.last,
    )
    return marked ? [] : [{ state, first: page, last: page, rule, object }]
  })
}

/** Damaged pages beside those that the page accounting knows. Each counts once, however many findings name it. */
class Damage {
  readonly damaged: number
  readonly disagreeing: number
  readonly #ofObjects: ReadonlyMap<string, number>

  constructor({ bad }: PageGroups, others: readonly BadPageRange[]) {
    const known = bad.places.filter(({ state }) => state === 'damaged')
    const beside = (places: readonly BadPageRange[]): number =>
      places.length === 0 ? 0 : distinctPages([...known, ...places]) - distinctPages(known)
    const disagreeing = others.filter(({ state }) => state === 'disagreeing')
    const damaged = others.filter(({ state }) => state === 'damaged')
    this.damaged = beside(damaged)
    this.disagreeing = distinctPages(disagreeing)
    this.#ofObjects = new Map(
      [...Map.groupBy([...damaged, ...disagreeing], ({ object }) => keyOf(object))].map(([object, places]) => [
        object,
        beside(places),
      ]),
    )
  }

  besideOf(object: FoundObject): number {
    return this.#ofObjects.get(keyOf(object)) ?? 0
  }
}

const keyOf = (object: FoundObject | null): string => JSON.stringify([object?.kind, object?.name, object?.table])

function distinctPages(places: readonly BadPageRange[]): number {
  let pages = 0
  let reached = 0
  for (const { first, last } of places.toSorted((a, b) => a.first - b.first)) {
    pages += Math.max(0, last - Math.max(first - 1, reached))
    reached = Math.max(reached, last)
  }
  return pages
}

interface Owner {
  readonly root: number
  readonly object: FoundObject
  readonly pages: number
  readonly damagedPages: number
}

/** The largest first. If there are too many: those with damage, and the largest of the others. */
function ownersOf(
  { trees, treesMore }: PageGroups,
  damage: Damage,
  schema: SchemaView,
): { readonly named: readonly Owner[]; readonly more: number } {
  const all = trees.map(({ root, pages, damaged }): Owner => {
    const object = schema.atRoot(root)
    return { root, object, pages, damagedPages: Math.min(pages, damaged + damage.besideOf(object)) }
  })
  const named = all
    .toSorted((a, b) => Number(b.damagedPages > 0) - Number(a.damagedPages > 0) || b.pages - a.pages)
    .slice(0, ownersMax)
  return {
    named: named.toSorted((a, b) => b.pages - a.pages || a.root - b.root),
    more: all.length - named.length + treesMore,
  }
}

/** The groups with the marks of findings; neighbours that show the same become one cell. */
function cellsOf(
  { accounted: { groups, pages, pagesPerGroup }, entries }: MappedPages,
  others: readonly BadPageRange[],
  positions: ReadonlyMap<number, number>,
): DrawnMap['cells'] {
  const states = groups.map(({ state }) => state)
  const mark = (group: number, state: PageState): void => {
    const before = states[group]
    if (before !== undefined && pageStates.indexOf(state) < pageStates.indexOf(before)) states[group] = state
  }
  for (const group of entries.groups) mark(group, 'disagreeing')
  for (const { first, last, state } of others)
    for (let group = Math.floor((first - 1) / pagesPerGroup); group * pagesPerGroup < last; group++) mark(group, state)
  const cells: { first: number; last: number; state: PageState; owner: number | null }[] = []
  groups.forEach(({ root }, i) => {
    const state = states[i] ?? 'unread'
    const owner = positions.get(root) ?? null
    const last = Math.min(pages, (i + 1) * pagesPerGroup)
    const before = cells.at(-1)
    if (before !== undefined && before.state === state && before.owner === owner) before.last = last
    else cells.push({ first: i * pagesPerGroup + 1, last, state, owner })
  })
  return cells
}
