/** From pages and findings to a map: whose, what, where, and never more than fits. */
import { describe, expect, test } from 'vitest'
import { drawMap } from '../../src/diagnosis/draw-map.ts'
import type { Finding, Severity } from '../../src/model/result/finding.ts'
import type { BadPages, DrawnMap, MappedPages, PageGroups, PageState } from '../../src/model/result/page-map.ts'
import { reading } from '../support/diagnosis.ts'

const nothing: BadPages = { places: [], more: 0, groups: [] }
const noCounts = { damaged: 0, disagreeing: 0, unread: 0, unowned: 0, owned: 0, free: 0, reserved: 0, behind: 0 }
const events = { kind: 'table', name: 'events', table: 'events' } as const
const eventsKind = { kind: 'index', name: 'events_kind', table: 'events' } as const

/** Ten groups: the schema, events, its index, free pages. */
function accounted(more: Partial<PageGroups> = {}): PageGroups {
  const groups = [
    'owned 1',
    'owned 2',
    'owned 2',
    'owned 2',
    'owned 3',
    'owned 3',
    'owned 2',
    'free 0',
    'free 0',
    'free 0',
  ].map((words) => {
    const [state, root] = words.split(' ')
    return { state: state as PageState, root: Number(root) }
  })
  return {
    pageSize: 4096,
    pages: 95,
    pagesPerGroup: 10,
    groups,
    trees: [
      { root: 2, pages: 40, damaged: 0 },
      { root: 3, pages: 20, damaged: 0 },
      { root: 1, pages: 10, damaged: 0 },
    ],
    treesMore: 0,
    counts: { ...noCounts, owned: 70, free: 25 },
    bad: nothing,
    ...more,
  }
}

const draw = (findings: readonly Finding[], pages: PageGroups = accounted(), entries: BadPages = nothing): DrawnMap => {
  const map: MappedPages = { kind: 'pages', accounted: pages, entries }
  const drawn = drawMap(reading([], { map }), findings)
  if (drawn.kind !== 'drawn') throw new Error(drawn.why)
  return drawn
}

const finding = (
  rule: Finding['rule'],
  page: number | null,
  severity: Severity = 'damage',
  object: Finding['object'] = events,
): Finding => ({ rule, severity, source: 'sqlite', object, text: rule, ...(page === null ? {} : { page }) })

test('neighbours that show the same are one cell, and cells cover the file without a gap', () => {
  expect(draw([])).toEqual({
    kind: 'drawn',
    pageSize: 4096,
    pages: 95,
    pagesPerCell: 10,
    counts: { ...noCounts, owned: 70, free: 25 },
    owners: [
      { object: events, pages: 40, damagedPages: 0 },
      { object: eventsKind, pages: 20, damagedPages: 0 },
      { object: { kind: 'schema', name: 'sqlite_schema', table: 'sqlite_schema' }, pages: 10, damagedPages: 0 },
    ],
    ownersMore: 0,
    cells: [
      { first: 1, last: 10, state: 'owned', owner: 2 },
      { first: 11, last: 40, state: 'owned', owner: 0 },
      { first: 41, last: 60, state: 'owned', owner: 1 },
      { first: 61, last: 70, state: 'owned', owner: 0 },
      { first: 71, last: 95, state: 'free', owner: null },
    ],
    places: [],
    placesMore: 0,
  })
})

describe('a finding marks the cell of its page', () => {
  const stateAt = ({ cells }: DrawnMap, page: number): PageState | undefined =>
    cells.find(({ first, last }) => first <= page && page <= last)?.state
  test.each([
    [1, 'damage', 'damaged'],
    [10, 'damage', 'damaged'],
    [11, 'damage', 'damaged'],
    [95, 'damage', 'damaged'],
    [40, 'leak', 'unowned'],
    [40, 'notice', 'owned'],
  ] as const)('page %i, severity %s: %s', (page, severity, state) => {
    const map = draw([finding('page-malformed', page, severity)])
    expect(stateAt(map, page)).toBe(state)
    expect(map.cells.filter((cell) => cell.state !== 'owned' && cell.state !== 'free')).toHaveLength(
      severity === 'notice' ? 0 : 1,
    )
    expect(map.counts.damaged).toBe(severity === 'damage' ? 1 : 0)
  })

  test('entries that disagree with rows are another matter than damage, which is graver', () => {
    const differs = finding('entry-differs-from-row', 45, 'damage', eventsKind)
    expect(stateAt(draw([differs]), 45)).toBe('disagreeing')
    const both = draw([differs, finding('index-out-of-order', 44, 'damage', eventsKind)])
    expect(stateAt(both, 45)).toBe('damaged')
    expect(both.owners[1]).toEqual({ object: eventsKind, pages: 20, damagedPages: 2 })
    expect(both.counts).toMatchObject({ damaged: 1, disagreeing: 1 })
  })

  test('no page, page 0 and pages that the file does not have mark nothing', () => {
    const map = draw([
      finding('row-missing-from-index', null),
      finding('page-malformed', 0),
      finding('freelist-broken', 96),
      finding('freelist-broken', 4_000_000_000),
    ])
    expect(map).toEqual(draw([]))
  })

  test('a page counts once, however many findings name it', () => {
    const marked = accounted({
      bad: {
        places: [{ state: 'damaged', first: 12, last: 14, rule: 'page-unreadable', object: events }],
        more: 0,
        groups: [1],
      },
      counts: { ...noCounts, owned: 70, free: 25, damaged: 3 },
      trees: [{ root: 2, pages: 40, damaged: 3 }],
    })
    const map = draw(
      [
        finding('page-unreadable', 13),
        finding('page-malformed', 14),
        finding('page-malformed', 15),
        finding('rowid-out-of-order', 15),
      ],
      marked,
    )
    expect(map.counts.damaged).toBe(4)
    expect(map.owners[0]?.damagedPages).toBe(4)
    expect(map.places.map(({ first, last, rule }) => `${first}-${last} ${rule}`)).toEqual([
      '12-14 page-unreadable',
      '14-14 page-malformed',
      '15-15 page-malformed',
      '15-15 rowid-out-of-order',
    ])
  })
})

test('entries that the census could not name one by one still show in their cells', () => {
  const map = draw([], accounted(), { places: [], more: 7, groups: [4, 5] })
  expect(map.cells.filter(({ state }) => state === 'disagreeing')).toEqual([
    { first: 41, last: 60, state: 'disagreeing', owner: 1 },
  ])
  expect(map.placesMore).toBe(7)
})

test('of ten thousand objects the largest are named, and those with damage before them', () => {
  const trees = Array.from({ length: 10_000 }, (_, i) => ({
    root: i + 100,
    pages: 10_000 - i,
    damaged: i === 9_000 ? 1 : 0,
  }))
  const map = draw(
    [],
    accounted({
      trees,
      treesMore: 5,
      groups: [
        { state: 'owned', root: 100 },
        { state: 'owned', root: 5_000 },
      ],
    }),
  )
  expect(map.owners).toHaveLength(100)
  expect(map.ownersMore).toBe(9_905)
  expect(map.owners.filter(({ damagedPages }) => damagedPages > 0)).toEqual([
    { object: { kind: 'file', name: 'b-tree 9100', table: null }, pages: 1000, damagedPages: 1 },
  ])
  expect(map.cells.map(({ owner }) => owner)).toEqual([0, null])
})

test('without a map there is a reason', () => {
  expect(drawMap(reading([], { map: { kind: 'none', why: 'the header gives no page size' } }), [])).toEqual({
    kind: 'none',
    why: 'the header gives no page size',
  })
})
