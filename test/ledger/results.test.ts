/** What the ledger answers of checks: the newest of each file, what settles something, and their list. */

import { expect, test } from 'vitest'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import type { FailureCode } from '../../src/model/failure.ts'
import type { Result } from '../../src/model/result/report.ts'
import { holdAsked, checked, holdEnded, holdQuiesced, scratch, soundResult } from '../support/ledger/sample-events.ts'

const run = newRunId()

test('the last result of a file says what the next sweep and the status need', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  await ledger.append(
    checked('acme', {
      verdict: 'inconclusive',
      reason: 'in use',
      failure: { code: 'IN_USE', message: 'in use', hint: 'wait', tenantState: 'untouched' },
    }),
  )
  await ledger.append(checked('acme', { path: '/srv/notes/acme-2.db' }))
  const [second, first] = await ledger.lastResults()
  expect(first).toMatchObject({
    tenant: 'acme',
    path: '/srv/notes/acme.db',
    verdict: 'inconclusive',
    failure: 'IN_USE',
    settled: null,
  })
  expect(second).toMatchObject({
    tenant: 'acme',
    path: '/srv/notes/acme-2.db',
    run,
    verdict: 'sound',
    damage: 'none',
    level: 'sealed',
    depth: 'full',
    pauseMs: 9,
    failure: null,
    changeCounter: 42,
    size: 1_048_576,
    walSalts: '0011223344556677',
    settled: { verdict: 'sound', depth: 'full', changeCounter: 42 },
  })
})

test('a path comes back as it was, also if it is not UTF-8 or begins with a quote', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const paths = ['"/srv/a.db"', '/srv/a.db', '/srv/\udcfe.db', '/srv/\udcff.db']
  for (const path of paths) await ledger.append(checked('acme', { path }))
  expect((await ledger.lastResults()).map(({ path }) => path).toSorted()).toEqual(paths)
  const known = await ledger.newestChecks(
    [...paths, '/srv/\ufffd.db', '/srv/\udcfd.db'].map((path) => ({ tenant: tenantId('acme'), path })),
  )
  expect(known.map((check) => check !== null)).toEqual([true, true, true, true, false, false])
})

test('only the newest check of a file tells of an abandoned pause', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const lost = async (timings: Partial<Result['timings']>, code: FailureCode): Promise<readonly (number | null)[]> => {
    const failure = { code, message: 'so it was', hint: 'wait', tenantState: 'active' } as const
    await ledger.append(
      checked('acme', { verdict: 'inconclusive', failure, timings: { ...soundResult('acme').timings, ...timings } }),
    )
    const checks = await ledger.newestChecks([
      { tenant: tenantId('bolt'), path: '/srv/notes/acme.db' },
      { tenant: tenantId('acme'), path: '/srv/notes/acme.db' },
      { tenant: null, path: '/srv/notes/acme.db' },
    ])
    return checks.map((check) => check?.abandonedPauseMs ?? null)
  }
  expect(await lost({ pauseMs: 10_400, ranOutMs: 10_001 }, 'TOO_LARGE_FOR_PAUSE')).toEqual([null, 10_001, null])
  expect(await lost({ pauseMs: null }, 'TOO_LARGE_FOR_PAUSE')).toEqual([null, null, null])
  expect(await lost({ pauseMs: 30_000 }, 'LEASE_LOST')).toEqual([null, null, null])
})

test('a quick check neither refreshes a full one nor clears damage', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  const settledAfter = async (event: Event): Promise<unknown> => {
    await ledger.append(event)
    const [result] = await ledger.lastResults()
    return result?.settled === null ? null : [result?.settled.verdict, result?.settled.depth]
  }
  expect(await settledAfter(checked('acme', { depth: 'quick' }))).toBeNull()
  expect(await settledAfter(checked('acme'))).toEqual(['sound', 'full'])
  expect(await settledAfter(checked('acme', { depth: 'quick', verdict: 'damaged', damage: 'index' }))).toEqual([
    'damaged',
    'quick',
  ])
  expect(await settledAfter(checked('acme', { depth: 'quick' }))).toEqual(['damaged', 'quick'])
  expect(await settledAfter(checked('acme', { verdict: 'inconclusive' }))).toEqual(['damaged', 'quick'])
  expect(await settledAfter(checked('acme', { verdict: 'failed' }))).toEqual(['damaged', 'quick'])
  expect(await settledAfter(checked('acme'))).toEqual(['sound', 'full'])
})

test('the limit counts checks alone, and the answer says whether there are older ones', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, run)
  for (const tenant of ['acme', 'bolt', 'acme', 'acme']) {
    for (const event of [holdAsked('h', tenant), holdQuiesced('h', tenant), checked(tenant), holdEnded('h', tenant)])
      await ledger.append(event)
  }
  const found = async (tenant: string | null, limit: number): Promise<unknown> => {
    const { lines, more } = await ledger.checks(tenant === null ? null : tenantId(tenant), limit)
    return [lines.map(({ event }) => (event.kind === 'checked' ? event.tenant : event.kind)), more]
  }
  expect(await found(null, 2)).toEqual([['acme', 'acme'], true])
  expect(await found(null, 4)).toEqual([['acme', 'acme', 'bolt', 'acme'], false])
  expect(await found('acme', 2)).toEqual([['acme', 'acme'], true])
  expect(await found('bolt', 1)).toEqual([['bolt'], false])
})
