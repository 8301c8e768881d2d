/** What holds of the verdict for any facts, in any order. */

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Fact } from '../../src/model/result/reading.ts'
import { context, message, messages, reading, thrown } from '../support/diagnosis.ts'

const say = (...texts: readonly string[]) => diagnose(reading(messages(...texts)), context)

describe('for any facts', () => {
  const name = fc.constantFrom('events_kind', 'events_at', 'users_mail', 'nobody', 'a.b', 'x\ny')
  const small = fc.integer({ min: 1, max: 60 })
  const damaging = fc.oneof(
    fc
      .tuple(
        small,
        small,
        fc.constantFrom(
          'free space corruption',
          'Child page depth differs',
          'Rowid 5 out of order',
          'btreeInitPage() returns error code 11',
          'overflow list length is 1 but should be 2',
        ),
      )
      .map(([root, page, text]) => `Tree ${root} page ${page}: ${text}`),
    fc.tuple(small, name).map(([row, index]) => `row ${row} missing from index ${index}`),
    name.map((index) => `wrong # of entries in index ${index}`),
    name.map((index) => `non-unique entry in index ${index}`),
    small.map((page) => `Page ${page}: never used`),
    small.map((page) => `2nd reference to page ${page}`),
    small.map((page) => `Freelist: invalid page number ${page}`),
    fc.constant('NULL value in users.mail'),
    fc.constant('database disk image is malformed'),
    fc
      .string({ minLength: 1, maxLength: 40 })
      .filter((text) => text.trim() !== '')
      .map((text) => `unheard of ${text}`),
  )
  const harmless = fc.constantFrom(
    'CHECK constraint failed in users',
    'NUMERIC value in users.mail',
    'TEXT value in events.kind',
  )
  const fact = fc.oneof(
    { weight: 5, arbitrary: damaging.map(message) },
    { weight: 2, arbitrary: harmless.map(message) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        thrown('SQLITE_CORRUPT', 'database disk image is malformed'),
        thrown('SQLITE_IOERR', 'disk I/O error'),
        thrown('SQLITE_CORRUPT', 'database disk image is malformed', 'events'),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant<Fact>({ kind: 'child-ended', how: 'crashed', during: 'integrity_check', detail: '' }),
    },
  )

  test('never sound while one fact speaks of damage', () => {
    fc.assert(
      fc.property(damaging, fc.array(fact, { maxLength: 12 }), fc.nat(12), (text, facts, at) => {
        expect(diagnose(reading(facts.toSpliced(at, 0, message(text))), context).verdict.kind).toBe('damaged')
      }),
    )
  })

  test('the order of the facts does not matter', () => {
    fc.assert(
      fc.property(
        fc.array(fact, { maxLength: 15 }),
        fc.infiniteStream(fc.double({ noNaN: true, min: 0, max: 1 })),
        (facts, keys) => {
          const shuffled = facts
            .map((one) => ({ one, key: keys.next().value ?? 0 }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ one }) => one)
          expect(diagnose(reading(shuffled), context)).toEqual(diagnose(reading(facts), context))
        },
      ),
    )
  })

  test('no message is lost: each stands in the total of some finding', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(damaging, harmless), { maxLength: 40 }), (texts) => {
        const total = say(...texts).findings.reduce((sum, finding) => sum + (finding.total ?? 0), 0)
        expect(total).toBe(texts.length)
      }),
    )
  })

  test('a rebuild is offered only if all damage is of indexes, full-text indexes or the page accounting', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 12 }), (facts) => {
        const { remedy, findings, damage } = diagnose(reading(facts), context)
        if (remedy.do !== 'rebuild') return
        expect(['index', 'fts', 'structure']).toContain(damage)
        if (damage !== 'structure')
          expect(
            findings
              .filter(({ severity }) => severity !== 'notice')
              .every(
                ({ object, rule }) =>
                  object.kind === 'index' && rule !== 'page-used-twice' && rule !== 'unique-violated',
              ),
          ).toBe(true)
      }),
    )
  })
})
