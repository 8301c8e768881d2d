/** The map of a file as text. */

import { expect, test } from 'vitest'
import type { FoundObject } from '../../../src/model/result/finding.ts'
import type { DrawnMap } from '../../../src/model/result/page-map.ts'
import { describeMaps } from '../../../src/report/text/page-map.ts'
import { renderReport } from '../../../src/report/text/text.ts'
import { damaged, report, sound } from '../../support/report.ts'

const plain = { width: 80, color: false, verbose: false }
const counts = { damaged: 0, disagreeing: 0, unread: 0, unowned: 0, owned: 0, free: 0, reserved: 0, behind: 0 }
const table = (name: string): FoundObject => ({ kind: 'table', name, table: name })
const index = (name: string, of: string): FoundObject => ({ kind: 'index', name, table: of })
const drawnMap = (more: Partial<DrawnMap>): DrawnMap => ({
  kind: 'drawn',
  pageSize: 4096,
  pages: 1,
  pagesPerCell: 1,
  counts,
  owners: [],
  ownersMore: 0,
  cells: [],
  places: [],
  placesMore: 0,
  ...more,
})
const lines = (map: DrawnMap, options = plain): string => describeMaps([sound('acme', { map })], options).join('\n')

test('a file of one page', () => {
  expect(
    lines(
      drawnMap({
        counts: { ...counts, owned: 1 },
        owners: [{ object: { kind: 'schema', name: 'sqlite_schema', table: null }, pages: 1, damagedPages: 0 }],
        cells: [{ first: 1, last: 1, state: 'owned', owner: 0 }],
      }),
    ),
  ).toBe(`
Map of acme  /srv/notes/acme.db
  1 page of 4096 bytes; a cell is a page
  1  a
    CELL        PAGES    SHARE   BYTES  DAMAGED
  a the schema      1  100.0 %  4.1 kB        -`)
})

test('every state has a sign of its own, and what is wrong is named below by finding and object', () => {
  const kind = index('events_kind', 'events')
  const map = drawnMap({
    pages: 700,
    pagesPerCell: 10,
    pageSize: 1024,
    counts: { damaged: 3, disagreeing: 2, unread: 1, unowned: 12, owned: 600, free: 50, reserved: 8, behind: 30 },
    owners: [
      { object: table('events'), pages: 400, damagedPages: 3 },
      { object: kind, pages: 150, damagedPages: 2 },
    ],
    ownersMore: 3,
    cells: [
      { first: 1, last: 300, state: 'owned', owner: 0 },
      { first: 301, last: 310, state: 'damaged', owner: 0 },
      { first: 311, last: 330, state: 'disagreeing', owner: 1 },
      { first: 331, last: 400, state: 'owned', owner: 1 },
      { first: 401, last: 410, state: 'unread', owner: 0 },
      { first: 411, last: 430, state: 'unowned', owner: null },
      { first: 431, last: 600, state: 'owned', owner: null },
      { first: 601, last: 610, state: 'reserved', owner: null },
      { first: 611, last: 660, state: 'free', owner: null },
      { first: 661, last: 700, state: 'behind', owner: null },
    ],
    places: [
      { state: 'damaged', first: 302, last: 304, rule: 'page-unreadable', object: table('events') },
      { state: 'disagreeing', first: 312, last: 312, rule: 'entry-without-row', object: kind },
      { state: 'disagreeing', first: 325, last: 325, rule: 'entry-without-row', object: kind },
      { state: 'unread', first: 405, last: 405, rule: null, object: null },
      {
        state: 'unowned',
        first: 411,
        last: 422,
        rule: 'page-unowned',
        object: { kind: 'file', name: 'file', table: null },
      },
    ],
  })
  const [missing] = damaged('acme').findings
  const result = damaged('acme', {
    map,
    findings: missing
      ? [
          {
            rule: missing.rule,
            severity: missing.severity,
            source: missing.source,
            object: missing.object,
            text: missing.text,
          },
        ]
      : [],
  })
  expect(describeMaps([result], plain).join('\n')).toBe(`
Map of acme  /srv/notes/acme.db
  700 pages of 1024 bytes; a cell is 10 pages: it shows the worst of them,
  otherwise the most common
    1  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX##bbbbbbb?!!+++++++++++++++++=...
  641  ..----
    CELL                                       PAGES   SHARE     BYTES  DAMAGED
  a table events                                 400  57.1 %  409.6 kB        3
  b index events_kind of events                  150  21.4 %  153.6 kB        2
  + 3 more objects                                50   7.1 %   51.2 kB        -
  . free                                          50   7.1 %   51.2 kB        -
  = pointer map and lock bytes                     8   1.1 %    8.2 kB        -
  - behind the end of the database                30   4.3 %   30.7 kB        -
  ! belong to no object                           12   1.7 %   12.3 kB        -
  ? not read: the system refused                   1   0.1 %    1.0 kB        -
  # entries that do not agree with their rows      2   0.3 %    2.0 kB        -
  X damaged                                        3   0.4 %    3.1 kB        -
  page-unreadable         table events, pages 302-304
  entry-without-row       index events_kind of events, pages 312, 325
  not read                page 405
  page-unowned            pages 411-422
  row-missing-from-index  on no page of the map: 2 rows of events are missing
                          from index events_kind`)
})

test('a finding that only counts what is on the map is not listed again', () => {
  const map = drawnMap({
    pages: 2,
    cells: [{ first: 1, last: 2, state: 'unowned', owner: null }],
    counts: { ...counts, unowned: 2 },
    places: [
      {
        state: 'unowned',
        first: 1,
        last: 2,
        rule: 'page-unowned',
        object: { kind: 'file', name: 'file', table: null },
      },
    ],
  })
  const text = describeMaps(
    [
      damaged('acme', {
        map,
        findings: [
          {
            rule: 'page-unowned',
            severity: 'leak',
            source: 'census',
            object: { kind: 'file', name: 'file', table: null },
            total: 2,
            text: '2 pages belong to nothing',
          },
        ],
      }),
    ],
    plain,
  ).join('\n')
  expect(text).not.toContain('on no page')
  expect(text).toContain('page-unowned            pages 1-2')
})

test('many places are counted, and --verbose names more', () => {
  const places = Array.from({ length: 40 }, (_, i) => ({
    state: 'damaged' as const,
    first: i * 3 + 1,
    last: i * 3 + 2,
    rule: 'page-unreadable' as const,
    object: table('t'),
  }))
  const map = drawnMap({
    pages: 200,
    cells: [{ first: 1, last: 200, state: 'damaged', owner: null }],
    places,
    placesMore: 9,
  })
  expect(lines(map)).toContain('31-32, 34-35 and 56 more')
  expect(lines(map)).toContain('and 9 more pages, not listed')
  expect(lines(map, { ...plain, verbose: true })).not.toMatch(/and 56 more/)
  const kinds = drawnMap({ pages: 200, places: places.map((place, i) => ({ ...place, object: table(`t${i}`) })) })
  expect(lines(kinds)).toContain('and 32 more kinds of damage')
})

test('without a map the reason is printed, but only if a map was requested', () => {
  expect(describeMaps([sound('acme', { map: { kind: 'none', why: 'the header gives no page size' } })], plain)).toEqual(
    ['', 'Map of acme  /srv/notes/acme.db', '  No map: the header gives no page size'],
  )
  expect(renderReport(report([sound('acme'), damaged('bolt')]), plain)).not.toContain('Map of')
})

test('of very many objects sixteen have letters, those with damage among them', () => {
  const owners = Array.from({ length: 100 }, (_, i) => ({
    object: table(`table ${i}`),
    pages: 200 - i,
    damagedPages: i === 77 || i === 99 ? 1 : 0,
  }))
  const cells = owners.map((_, i) => ({ first: i + 1, last: i + 1, state: 'owned' as const, owner: i }))
  const text = lines(drawnMap({ pages: 100, counts: { ...counts, owned: 15_050 }, owners, ownersMore: 9_900, cells }))
  expect(text).toContain('table 77')
  expect(text).toContain('table 99')
  expect(text).toContain('+ 9,984 more objects')
  expect(text.split('\n')).toHaveLength(2 + 1 + 2 + 1 + 17)
  expect(text).toMatch(/^ +1 {2}abcdefghijklmn\+{50}$/m)
})

test('narrow terminals get shorter rows', () => {
  const map = drawnMap({ pages: 64, cells: [{ first: 1, last: 64, state: 'free', owner: null }] })
  const rows = (width: number): number =>
    lines(map, { ...plain, width })
      .split('\n')
      .filter((line) => /^ +\d+ {2}\.+$/.test(line)).length
  expect([rows(80), rows(60), rows(40)]).toEqual([1, 2, 2])
})

test('damage stands out in colour as well: white on red', () => {
  const map = drawnMap({
    pages: 3,
    cells: [
      { first: 1, last: 2, state: 'free', owner: null },
      { first: 3, last: 3, state: 'damaged', owner: null },
    ],
  })
  expect(lines(map, { ...plain, color: true })).toContain('\u001b[1m\u001b[41m\u001b[37mX')
})
