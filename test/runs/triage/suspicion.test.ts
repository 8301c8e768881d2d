/** I1.6: which tenant a triage examines first. Healthy first, then one reason at a time, then the order of all. */

import { describe, expect, test } from 'vitest'
import type { LastResult, RecordedCheck } from '../../../src/ledger/ledger.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { suspicionReasons } from '../../../src/model/result/report.ts'
import { orderBySuspicion, weightOf, type SuspectFacts } from '../../../src/runs/triage/suspicion.ts'

const now = 1_790_000_000_000
const hour = 3_600_000
const terms = { now, crashedAt: null, hasLedger: true, statusTenant: null }

const check = (more: Partial<RecordedCheck> = {}): RecordedCheck => ({
  at: now - hour,
  run: 'r',
  verdict: 'sound',
  damage: 'none',
  level: 'sealed',
  depth: 'full',
  changeCounter: 7,
  size: 8192,
  walSalts: null,
  pauseMs: 9,
  ...more,
})

function last(id: string, settled: RecordedCheck | null = check(), newest: RecordedCheck = check()): LastResult {
  return { ...newest, tenant: tenantId(id), path: `/srv/${id}.db`, failure: null, settled, settledMark: null }
}

/** Checked an hour ago and sound, not written for a day, of usual size. */
const calm = (id: string, more: Partial<SuspectFacts> = {}): SuspectFacts => ({
  target: { tenant: tenantId(id), named: `/srv/${id}.db` },
  file: { bytes: 1_000_000, writtenAt: now - 24 * hour, left: null },
  last: last(id),
  said: null,
  ...more,
})

const reasonsOf = (facts: SuspectFacts, more: Partial<typeof terms> | { readonly crashedAt: number } = {}) =>
  orderBySuspicion([facts, calm('other'), calm('third')], { ...terms, ...more })
    .find(({ target }) => target.tenant === facts.target.tenant)
    ?.suspicion.map(({ reason }) => reason)

describe('I1.6: reasons', () => {
  test('nothing speaks against a tenant that was found sound an hour ago', () => {
    expect(orderBySuspicion([calm('a'), calm('b')], terms).map(({ suspicion }) => suspicion)).toEqual([[], []])
  })

  const seen = (file: Partial<SuspectFacts['file']>): Partial<SuspectFacts> => ({
    file: { ...calm('x').file, ...file },
  })
  test.each([
    ['named-by-service', calm('a', { said: 'it crashed' }), {}],
    ['known-damage', calm('a', { last: last('a', check({ verdict: 'damaged', damage: 'index' })) }), {}],
    ['left-by-crash', calm('a', seen({ left: 'journal' })), {}],
    ['left-by-crash', calm('a', seen({ left: 'orphaned-wal' })), {}],
    ['open-at-crash', calm('a', seen({ left: 'wal' })), {}],
    ['written-before-crash', calm('a', seen({ writtenAt: now - 5_000 })), { crashedAt: now - 2_000 }],
    ['never-checked', calm('a', { last: null }), {}],
    ['never-checked', calm('a', { last: last('a', null, check({ depth: 'quick' })) }), {}],
    ['checked-long-ago', calm('a', { last: last('a', check({ at: now - 49 * hour })) }), {}],
    ['checked-long-ago', calm('a', { last: last('a', check({ at: now + 9 * hour })) }), {}],
    ['big', calm('a', seen({ bytes: 64_000_001 })), {}],
  ] as const)('%s', (reason, facts, more) => {
    expect(reasonsOf(facts, more)).toEqual([reason])
  })

  test.each([
    [
      'a write after the service was started again',
      calm('a', seen({ writtenAt: now - 500 })),
      { crashedAt: now - 9_000 },
    ],
    ['a write long before the crash', calm('a', seen({ writtenAt: now - hour })), { crashedAt: now }],
    ['a write, if the time of the crash is not known', calm('a', seen({ writtenAt: now - 5_000 })), {}],
    ['no check, without a ledger', calm('a', { last: null }), { hasLedger: false }],
    ['a file that is large as the others are', calm('a', seen({ bytes: 3_999_999 })), {}],
    [
      'a file that cannot be seen',
      calm('a', { file: { bytes: null, writtenAt: null, left: null } }),
      { crashedAt: now },
    ],
  ] as const)('none for %s', (_, facts, more) => {
    expect(reasonsOf(facts, more)).toEqual([])
  })

  test('of fifty tenants that were written before the crash, the last five are named', () => {
    const written = Array.from({ length: 50 }, (_, at) => calm(`t${at}`, seen({ writtenAt: now - 1_000 * at })))
    const order = orderBySuspicion(written, { ...terms, crashedAt: now })
    expect(order.filter(({ suspicion }) => suspicion.length > 0).map(({ target }) => target.tenant)).toEqual([
      't0',
      't1',
      't2',
      't3',
      't4',
    ])
  })
})

describe('I1.6: order', () => {
  test('each reason weighs more than all weaker ones together', () => {
    for (const [at, reason] of suspicionReasons.entries()) {
      const weaker = suspicionReasons.slice(at + 1).map((one) => ({ reason: one }))
      expect(weightOf([{ reason }])).toBeGreaterThan(weightOf(weaker))
    }
  })

  test('I1.9: the status tenant comes first, whatever speaks against others', () => {
    const order = orderBySuspicion([calm('named', { said: 'it crashed' }), calm('status')], {
      ...terms,
      statusTenant: 'status',
    })
    expect(order.map(({ target }) => target.tenant)).toEqual(['status', 'named'])
  })

  test('without a reason, the tenant that was found sound longest ago comes first', () => {
    const ages = [3, 40, 7].map((hours) =>
      calm(`h${hours}`, { last: last(`h${hours}`, check({ at: now - hours * hour })) }),
    )
    expect(orderBySuspicion(ages, terms).map(({ target }) => target.tenant)).toEqual(['h40', 'h7', 'h3'])
  })
})
