/** Which tenants a sweep may heal: healthy first, then one reason against it at a time. */

import { describe, expect, test } from 'vitest'
import type { LedgerLine } from '../../../src/ledger/ledger.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { ChangeId } from '../../../src/model/brand.ts'
import type { Event } from '../../../src/model/event.ts'
import type { Cause } from '../../../src/model/result/finding.ts'
import type { Result } from '../../../src/model/result/report.ts'
import type { Remedy } from '../../../src/model/result/verdict.ts'
import { HealCandidates, linesRead, whyNotToday } from '../../../src/runs/heal/heal-candidates.ts'
import { damaged, failed, sound } from '../../support/report.ts'

const acme = tenantId('acme')
const rebuild: Remedy = { do: 'rebuild', indexes: ['a'], rehearsed: true, why: 'w', command: 'holdfast repair' }
const healable = (tenant = 'acme', more: Partial<Result> = {}): Result =>
  damaged(tenant, { damage: 'index', remedy: rebuild, causes: [], ...more })

function after(...results: readonly Result[]): HealCandidates {
  const candidates = new HealCandidates()
  for (const result of results) candidates.consider(result)
  return candidates
}

test('tenants with damaged indexes or full-text indexes, in the order in which they were found', () => {
  const text = { ...rebuild, indexes: [], fts: [{ name: 'ft', source: 'notes' }] }
  const { candidates, left, harm } = after(
    sound('calm'),
    healable('zoe'),
    healable('acme', { damage: 'fts', remedy: text }),
  )
  expect({ candidates, left, harm }).toEqual({ candidates: ['zoe', 'acme'], left: [], harm: null })
})

describe('left to a person', () => {
  test.each([
    ['a restore', { remedy: { ...rebuild, do: 'restore' } }, /its remedy is restore/],
    ['a decision', { remedy: { ...rebuild, do: 'ask' } }, /its remedy is ask/],
    ['a rewrite of the file', { remedy: { ...rebuild, indexes: [], rewrite: true } }, /rewrite/],
    ['a quick check', { depth: 'quick' }, /quick/],
    [
      'a pause that was not proven',
      { failure: { code: 'LOCK_BUSY', message: 'm', hint: 'h', tenantState: 'active' } },
      /not proven \(LOCK_BUSY\)/,
    ],
  ] as const)('%s', (_, more, why) => {
    const { candidates, left } = after(healable('acme', more))
    expect(candidates).toEqual([])
    expect(left).toEqual([{ tenant: 'acme', why: expect.stringMatching(why) as string }])
  })

  test.each<Cause['hint']>(['index-or-table', 'lost-table-write', 'many-names', 'untrusted-file-system', 'bit-rot'])(
    'the cause %s',
    (hint) => {
      const { candidates, left } = after(healable('acme', { causes: [{ hint, why: 'w' }] }))
      expect([candidates, left.length]).toEqual([[], 1])
    },
  )

  test('the bug of the SQLite that damaged it does not keep it from being healed', () => {
    expect(after(healable('acme', { causes: [{ hint: 'wal-reset-bug', why: 'w' }] })).candidates).toEqual(['acme'])
  })

  test('a tenant of which one file must not be healed, whichever comes first', () => {
    const other = healable('acme', { path: '/b.db', remedy: { ...rebuild, do: 'ask' } })
    for (const results of [
      [healable(), other],
      [other, healable()],
    ])
      expect(after(...results).candidates).toEqual([])
  })

  test('bare files, and what is not damaged', () => {
    const { candidates, left } = after(
      healable('acme', { tenant: null }),
      sound('acme'),
      failed('acme'),
      healable('bolt', { verdict: 'inconclusive' }),
    )
    expect([candidates, left]).toEqual([[], []])
  })
})

describe('signs of harm', () => {
  test.each([
    'LOCK_NOT_HONOURED',
    'WRITER_SEEN',
    'COPY_CHANGED',
    'LEASE_LOST',
    'RESUME_FAILED',
    'GUARDIAN_LOST',
  ] as const)('%s of any tenant', (code) => {
    const failure = { code, message: 'm', hint: 'h', tenantState: 'active' } as const
    expect(after(healable(), failed('bolt', { failure })).harm).toBe(`bolt: ${code}: m`)
  })

  test('a busy tenant or a full disk is none', () => {
    for (const code of ['LOCK_BUSY', 'NO_SPACE', 'IN_USE'] as const)
      expect(
        after(failed('bolt', { failure: { code, message: 'm', hint: 'h', tenantState: 'active' } })).harm,
      ).toBeNull()
  })

  test('a file that this run found sound and that is damaged now; damage that became another', () => {
    const candidates = after(healable('acme', { path: '/a.db' }), sound('acme', { path: '/b.db' }))
    expect(candidates.harmIn(healable('acme', { path: '/a.db' }))).toBeNull()
    expect(candidates.harmIn(sound('acme', { path: '/b.db' }))).toBeNull()
    expect(candidates.suspected).toBeNull()
    expect(candidates.harmIn(healable('acme', { path: '/b.db' }))).toMatch(/found \/b\.db sound, and it is damaged now/)
    expect(candidates.suspected).toMatch(/^acme: this run found/) // I1.8: it stops the run as HARM_SUSPECTED.
    expect(candidates.harmIn(healable('acme', { path: '/a.db', damage: 'table' }))).toMatch(
      /was index and is table now/,
    )
  })
})

test('the memory is bounded: damaged tenants beyond the first are counted', () => {
  const candidates = after(...Array.from({ length: 1010 }, (_, i) => healable(`t${i}`)))
  expect([candidates.candidates.length, candidates.leftOut]).toEqual([1000, 10])
})

describe('one change a day', () => {
  const now = Date.parse('2026-11-28T03:00:00Z')
  const hourMs = 3_600_000
  const begun: Event = {
    kind: 'change-begun',
    tenant: acme,
    path: '/a.db',
    change: '01JXXXXXXXXXXXXXXXXXXXXXXX' as ChangeId,
    remedy: 'rebuild',
    method: 'swap',
  }
  const line = (at: number, event: Event = begun): LedgerLine => ({ sequence: 1, at, run: 'r', event })
  const checked: Event = { kind: 'checked', tenant: acme, result: sound('acme') }

  test('a change within 24 hours, also one that was taken back', () => {
    expect(whyNotToday([], now)).toBeNull()
    expect(whyNotToday([line(now, checked), line(now - 23 * hourMs)], now)).toMatch(/within the last 24 hours/)
    expect(whyNotToday([line(now - 23 * hourMs, { ...begun, remedy: 'undo' })], now)).not.toBeNull()
    expect(whyNotToday([line(now - 25 * hourMs)], now)).toBeNull()
  })

  test('a clock that was set back does not allow another', () => {
    expect(whyNotToday([line(now + hourMs)], now)).not.toBeNull()
  })

  test('a ledger with more lines than were read says nothing', () => {
    const many = (at: number): readonly LedgerLine[] => Array.from({ length: linesRead }, () => line(at, checked))
    expect(whyNotToday(many(now - hourMs), now)).toMatch(/more than/)
    expect(whyNotToday(many(now - 25 * hourMs), now)).toBeNull()
  })
})
