/** Which tenants a sweep takes, and in which order. */

import { expect, test } from 'vitest'
import type { RecordedCheck, LastResult } from '../../../src/ledger/ledger.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { VerdictWord } from '../../../src/model/result/verdict.ts'
import { KnownResults } from '../../../src/runs/selection/known-results.ts'
import { countLeading, select, type SelectionCriteria } from '../../../src/runs/selection/selection.ts'

const target = (id: string, named = `/srv/${id}.db`): Parameters<typeof select>[0][number] => ({
  tenant: tenantId(id),
  named,
})
const then = (verdict: VerdictWord, at: number): RecordedCheck => ({
  at,
  run: 'RUN',
  verdict,
  damage: 'none',
  level: 'sealed',
  depth: 'full',
  changeCounter: null,
  size: null,
  walSalts: null,
  pauseMs: 9,
})
const result = (id: string, verdict: VerdictWord, at: number): LastResult => {
  const check = then(verdict, at)
  return {
    ...check,
    tenant: tenantId(id),
    path: `/srv/${id}.db`,
    failure: null,
    settledMark: null,
    settled: verdict === 'sound' || verdict === 'damaged' ? check : null,
  }
}
const quick = (id: string, at: number, settled: RecordedCheck | null): LastResult => ({
  ...result(id, 'sound', at),
  depth: 'quick',
  settled,
})
const lastResults = [
  result('sound-late', 'sound', 30),
  result('damaged', 'damaged', 20),
  result('sound-early', 'sound', 10),
  result('inconclusive', 'inconclusive', 15),
  result('failed', 'failed', 5),
]
const ids = ['sound-late', 'sound-early', 'inconclusive', 'never', 'damaged', 'failed', 'health']

/** By default of all tenants, in order of urgency, after a sweep that reached everything. */
const criteria = (remembered: readonly LastResult[], more: Partial<SelectionCriteria> = {}): SelectionCriteria => ({
  only: null,
  order: 'due',
  statusTenant: null,
  known: new KnownResults(remembered),
  unfinished: null,
  now: 10_000,
  ...more,
})

const order = (only: readonly string[] | null, statusTenant: string | null): unknown => {
  const targets = select(
    ids.map((id) => target(id)),
    criteria(lastResults, { only, statusTenant }),
  )
  return [countLeading(targets, statusTenant), ...targets.map(({ tenant }) => tenant)]
}

test('never checked, then what was not sound, then the oldest sound check', () => {
  expect(order(null, null)).toEqual([
    0,
    'never',
    'health',
    'failed',
    'inconclusive',
    'damaged',
    'sound-early',
    'sound-late',
  ])
})

test('a quick check neither clears damage nor makes a full check younger', () => {
  const remembered = [
    result('sound-10', 'sound', 10),
    quick('sound-5', 40, then('sound', 5)),
    quick('never-full', 40, null),
    quick('was-damaged', 40, then('damaged', 1)),
    result('inconclusive', 'inconclusive', 30),
    result('sound-20', 'sound', 20),
  ]
  const targets = select(
    remembered.map(({ tenant }) => target(tenant)),
    criteria(remembered),
  )
  expect(targets.map(({ tenant }) => tenant)).toEqual([
    'inconclusive',
    'was-damaged',
    'never-full',
    'sound-5',
    'sound-10',
    'sound-20',
  ])
})

test('the tenant that monitoring relies on leads, whatever was found before (I1.9)', () => {
  expect(order(null, 'sound-late')).toEqual([
    1,
    'sound-late',
    'never',
    'health',
    'failed',
    'inconclusive',
    'damaged',
    'sound-early',
  ])
  expect(order(null, 'nobody')).toEqual([
    0,
    'never',
    'health',
    'failed',
    'inconclusive',
    'damaged',
    'sound-early',
    'sound-late',
  ])
})

test('a pattern takes what it matches; the status tenant leads only if it was chosen', () => {
  expect(order(['sound-*', 'failed'], 'health')).toEqual([0, 'failed', 'sound-early', 'sound-late'])
  expect(() => order(['sound-*', 'zzz*'], null)).toThrow(
    expect.objectContaining({ code: 'TENANT_UNKNOWN', message: 'no tenant matches "zzz*"' }) as Error,
  )
})

test('each file of a tenant has a past of its own; all of them lead with it', () => {
  const files = [target('acme', '/srv/new.db'), target('bolt'), target('acme')]
  const targets = select(files, criteria([result('acme', 'sound', 1)]))
  expect(targets.map(({ named }) => named)).toEqual(['/srv/new.db', '/srv/bolt.db', '/srv/acme.db'])
  expect(countLeading(select(files, criteria([], { statusTenant: 'acme' })), 'acme')).toBe(2)
})

test('an id with a slash is no path, and one with a star is matched by its own text too', () => {
  const odd = [target('a/b'), target('a*'), target('ab')]
  const chosen = (only: string): unknown => select(odd, criteria([], { only: [only] })).map(({ tenant }) => tenant)
  expect([chosen('a*'), chosen('a/b'), chosen('?/b')]).toEqual([['a/b', 'a*', 'ab'], ['a/b'], ['a/b']])
})

test('what was checked at a time that lies ahead comes as if it had been long ago', () => {
  const ahead = 10_000 + 365 * 86_400_000
  const remembered = [
    result('sound', 'sound', 10),
    result('sound-ahead', 'sound', ahead),
    result('damaged', 'damaged', 20),
    result('damaged-ahead', 'damaged', ahead),
  ]
  const targets = select(
    remembered.map(({ tenant }) => target(tenant)),
    criteria(remembered),
  )
  expect(targets.map(({ tenant }) => tenant)).toEqual(['damaged-ahead', 'damaged', 'sound-ahead', 'sound'])
})

test('what the last sweep did not reach comes first, and of that the longest unchecked', () => {
  const remembered = [
    result('reached', 'sound', 600),
    result('damaged-then', 'damaged', 610),
    result('left-late', 'sound', 300),
    result('left-early', 'inconclusive', 200),
    result('other', 'sound', 100),
  ]
  const named = ['reached', 'damaged-then', 'left-late', 'other', 'never', 'left-early']
  const ordered = (unfinished: SelectionCriteria['unfinished']): unknown =>
    select(
      named.map((id) => target(id)),
      criteria(remembered, { unfinished }),
    ).map(({ tenant }) => tenant)
  const since = { since: 500, depth: 'full' } as const
  expect(ordered(null)).toEqual(['never', 'left-early', 'damaged-then', 'other', 'left-late', 'reached'])
  expect(ordered({ ...since, only: null })).toEqual([
    'never',
    'other',
    'left-early',
    'left-late',
    'damaged-then',
    'reached',
  ])
  // It took some tenants only, so it has left these alone.
  expect(ordered({ ...since, only: ['left*', 'reached'] })).toEqual([
    'left-early',
    'left-late',
    'never',
    'damaged-then',
    'other',
    'reached',
  ])
})

test('in the order of the registry the status tenant still leads', () => {
  const targets = select(
    ids.map((id) => target(id)),
    criteria(lastResults, { order: 'registry', statusTenant: 'health' }),
  )
  expect(targets.map(({ tenant }) => tenant)).toEqual(['health', ...ids.filter((id) => id !== 'health')])
})
