/** What a second pinned snapshot makes of the damage that the first one shows. Only what both show is damage. */
import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/model/failure.ts'
import type { Evidence } from '../../../src/model/result/evidence.ts'
import type { Finding } from '../../../src/model/result/finding.ts'
import type { Result } from '../../../src/model/result/report.ts'
import { weighSecondSnapshot } from '../../../src/runs/confirm/second-snapshot.ts'
import type { Examination } from '../../../src/runs/examine.ts'
import { context, reading } from '../../support/diagnosis.ts'
import { damaged, failed, sealed, sound } from '../../support/report.ts'

const pinned: Evidence = { ...sealed, level: 'pinned', lease: null, quiesce: null }

const inIndex = (name: string, rows: readonly number[], page?: number): Finding => ({
  rule: 'row-missing-from-index',
  severity: 'damage',
  source: 'census',
  object: { kind: 'index', name, table: 'events' },
  ...(page === undefined ? {} : { page }),
  rows,
  total: rows.length,
  text: `rows are missing from ${name}`,
})

const examined = (result: Result, failure: Failure | null = null): Examination => ({
  result,
  lastGood: null,
  round: null,
  failure,
  read: { reading: reading([]), context },
})

const withFindings = (...findings: readonly Finding[]): Examination =>
  examined(damaged('acme', { evidence: pinned, findings, findingsTotal: findings.length }))

const weighBoth = (first: Examination, second: Examination): Result => weighSecondSnapshot(first, second).result

test('damage that both show stays damage, with its remedy and the evidence of both', () => {
  const first = withFindings(inIndex('events_kind', [1, 2]))
  const again = withFindings(inIndex('events_kind', [2, 1]))
  const both = weighSecondSnapshot(first, again)
  expect(both.result).toMatchObject({ verdict: 'damaged', damage: 'index', remedy: first.result.remedy })
  expect(both.result.secondSnapshot).toEqual({
    verdict: 'damaged',
    evidence: pinned,
    confirmed: 1,
    unconfirmed: [],
    unconfirmedTotal: 0,
  })
  expect(both.read).not.toBeNull()
})

describe('damage that the second does not show is inconclusive', () => {
  const first = withFindings(inIndex('events_kind', [1, 2], 7))
  test.each([
    ['the second is sound', sound('acme', { evidence: pinned })],
    ['another rule', withFindings({ ...inIndex('events_kind', [1, 2], 7), rule: 'entry-without-row' }).result],
    ['another index', withFindings(inIndex('events_at', [1, 2], 7)).result],
    ['another page', withFindings(inIndex('events_kind', [1, 2], 8)).result],
    ['no page', withFindings(inIndex('events_kind', [1, 2])).result],
    ['other rows', withFindings(inIndex('events_kind', [3, 4], 7)).result],
  ])('%s', (_what, second) => {
    const both = weighSecondSnapshot(first, examined(second))
    expect(both.result).toMatchObject({
      verdict: 'inconclusive',
      damage: 'none',
      remedy: { do: 'nothing', command: 'holdfast check --tenant acme' },
      reason: 'damage was found, but a second snapshot, pinned later, did not show it',
      findingsTotal: 2,
    })
    expect(both.result.findings.map(({ rule }) => rule)).toEqual(['snapshots-differ', 'row-missing-from-index'])
    expect(both.result.secondSnapshot).toMatchObject({ confirmed: 0, verdict: second.verdict })
    expect(both.read).toBeNull() // Nothing is rehearsed.
  })
})

test('of two findings the confirmed one is damage, and a person decides', () => {
  const lost: Finding = { ...inIndex('events', [9]), rule: 'page-unreadable', object: table('events'), page: 5 }
  const both = weighSecondSnapshot(
    withFindings(lost, inIndex('events_kind', [1])),
    withFindings(inIndex('events_kind', [1]), inIndex('events_at', [1])),
  )
  expect(both.result).toMatchObject({ verdict: 'damaged', damage: 'index', remedy: { do: 'ask' }, findingsTotal: 1 })
  expect(both.result.findings.map(({ object }) => object.name)).toEqual(['events_kind'])
  expect(both.result.secondSnapshot).toMatchObject({ confirmed: 1, unconfirmedTotal: 2 })
  expect(both.result.secondSnapshot?.unconfirmed.map((one) => [one.in, one.finding.object.name])).toEqual([
    ['first', 'events'],
    ['second', 'events_at'],
  ])
  expect(both.result.secondSnapshot?.unconfirmed.some(({ finding }) => 'rows' in finding)).toBe(false)
  expect(both.read).toBeNull()
})

test('without a second snapshot nothing is concluded, and the reason is that it is missing', () => {
  const busy = new Failure('LOCK_BUSY', 'process 7 keeps it locked')
  const { code, message, hint, tenantState } = busy
  const second = failed('acme', { failure: { code, message, hint, tenantState } })
  const both = weighSecondSnapshot(withFindings(inIndex('events_kind', [1])), examined(second, busy))
  expect(both.result).toMatchObject({
    verdict: 'inconclusive',
    reason: 'damage was found, but no second snapshot could confirm it: LOCK_BUSY: process 7 keeps it locked',
    secondSnapshot: { confirmed: 0, failure: { code: 'LOCK_BUSY' } },
  })
  // Exit code 3, and not 75: damage was seen.
  expect(both.result.failure).toBeUndefined()
  expect(both.failure).toBeNull()
})

test('locks that do not hold stop the run, whatever was found', () => {
  const granted = new Failure('LOCK_NOT_HONOURED', 'a second process got the lock')
  const { code, message, hint, tenantState } = granted
  const second = failed('acme', { failure: { code, message, hint, tenantState } })
  const both = weighSecondSnapshot(withFindings(inIndex('events_kind', [1])), examined(second, granted))
  expect(both.failure).toBe(granted)
  expect(both.result).toMatchObject({ verdict: 'inconclusive', failure: { code: 'LOCK_NOT_HONOURED' } })
})

test('a bare file is checked again with --live', () => {
  const first = examined(damaged('acme', { tenant: null, evidence: pinned, findings: [inIndex('events_kind', [1])] }))
  expect(weighBoth(first, examined(sound('acme'))).remedy.command).toBe('holdfast check --live /srv/notes/acme.db')
})

function table(name: string): Finding['object'] {
  return { kind: 'table', name, table: name }
}
