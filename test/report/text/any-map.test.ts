/** The map of any file as text: no line too wide, nothing that controls a terminal, nothing shown by colour alone. */

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pageStates } from '../../../src/model/result/page-map.ts'
import type { DrawnMap } from '../../../src/model/result/page-map.ts'
import { describeMaps } from '../../../src/report/text/page-map.ts'
import { damaged, needlesslyWide, sound } from '../../support/report.ts'

const plain = { width: 80, color: false, verbose: false }
const counts = { damaged: 0, disagreeing: 0, unread: 0, unowned: 0, owned: 0, free: 0, reserved: 0, behind: 0 }
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

describe('for any map', () => {
  const confusingText = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.constantFrom(
        '\u001b[2J\u001b[31m',
        'a\nX damaged',
        '\u202egnp',
        'x'.repeat(300),
        '日本語'.repeat(40),
        '\u009b31m',
        '\ud800',
      ),
    )
    .map((name) => name.replaceAll(' ', '_')) // Spaces in names are kept together.
  const object = fc.record({
    kind: fc.constantFrom('table' as const, 'index' as const, 'fts' as const, 'file' as const),
    name: confusingText,
    table: fc.option(confusingText),
  })
  const map = fc
    .record({
      owners: fc.array(fc.record({ object, pages: fc.integer({ min: 1, max: 1e9 }), damagedPages: fc.nat(3) }), {
        maxLength: 30,
      }),
      states: fc.array(fc.tuple(fc.constantFrom(...pageStates), fc.option(fc.nat(40))), {
        minLength: 1,
        maxLength: 300,
      }),
      places: fc.array(
        fc.record({
          state: fc.constantFrom('damaged' as const, 'disagreeing' as const, 'unread' as const, 'unowned' as const),
          first: fc.integer({ min: 1, max: 1e9 }),
          object: fc.option(object),
        }),
        { maxLength: 60 },
      ),
      pagesPerCell: fc.constantFrom(1, 7, 1_000_000),
      why: confusingText,
    })
    .map(({ owners, states, places, pagesPerCell }): DrawnMap =>
      drawnMap({
        pages: states.length * pagesPerCell,
        pagesPerCell,
        ownersMore: owners.length,
        counts: { ...counts, owned: states.length * pagesPerCell },
        owners: owners.map((owner) => ({ ...owner, pages: Math.min(owner.pages, states.length * pagesPerCell) })),
        cells: states.map(([state, owner], i) => ({
          first: i * pagesPerCell + 1,
          last: (i + 1) * pagesPerCell,
          state,
          owner,
        })),
        places: places.map(({ state, first, object }) => ({
          state,
          first,
          last: first + 3,
          rule: state === 'unread' ? null : 'page-malformed',
          object: state === 'unread' ? null : object,
        })),
        placesMore: places.length,
      }),
    )

  test('no line is wider than the terminal, and nothing that steers one gets out', () => {
    fc.assert(
      fc.property(map, fc.integer({ min: 40, max: 120 }), fc.boolean(), (given, width, verbose) => {
        const lines = describeMaps([damaged('acme', { map: given })], { width, cuts: true, color: false, verbose })
        expect(needlesslyWide(lines.join('\n'), width)).toEqual([])
        for (const line of lines.flatMap((text) => text.split('\n'))) {
          expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/u)
        }
      }),
    )
  })

  test('colour adds nothing that the signs do not say', () => {
    fc.assert(
      fc.property(map, (given) => {
        // oxlint-disable-next-line no-control-regex
        const bare = lines(given, { ...plain, color: true }).replaceAll(/\u001b\[\d+m/g, '')
        expect(bare).toBe(lines(given))
      }),
    )
  })
})
