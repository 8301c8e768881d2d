/** The results that a status lists, and the quiet files that it only counts: together they are all files. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lineRow } from '../../src/ledger/lines/rows.ts'
import { readLedger } from '../../src/ledger/open-ledger.ts'
import { Store } from '../../src/ledger/process/store.ts'
import type { Event } from '../../src/model/event.ts'
import { noEvidence } from '../../src/model/result/evidence.ts'
import type { Result } from '../../src/model/result/report.ts'
import { checked, scratch } from '../support/ledger/sample-events.ts'
import { damagedCheck, notes } from '../support/ledger/services.ts'

const hourMs = 3_600_000
const now = Date.now()

/** Each check with its age in hours. */
function write(dir: string, checks: readonly (readonly [ageHours: number, Event])[]): void {
  const store = new Store(join(dir, 'ledger.db'), 'write', notes, (notice) => {
    throw new Error(notice)
  })
  store.append(checks.map(([ageHours, event], at) => lineRow(now - ageHours * hourMs, 'RUN', at, event)))
  store.close()
}

const many = (
  prefix: string,
  length: number,
  ageHours: number,
  change: Partial<Result> = {},
): readonly (readonly [number, Event])[] =>
  Array.from({ length }, (_, at) => [ageHours, checked(`${prefix}-${String(at).padStart(5, '0')}`, change)] as const)

test('of sound files the first twenty fresh and stale ones are listed, and the others counted', async () => {
  using folder = scratch()
  write(folder.path, [
    ...many('fresh', 6000, 1),
    ...many('stale', 30, 50),
    [90, checked('was-sound')],
    [2, checked('was-sound', { verdict: 'inconclusive', reason: 'in use' })],
    [80, damagedCheck('was-damaged')],
    [2, checked('was-damaged', { depth: 'quick' })],
    [-50, checked('ahead')],
    [2, checked('quick', { depth: 'quick' })],
    ...many('pinned', 6, 1, { evidence: { ...noEvidence, level: 'pinned' } }),
  ])
  await using ledger = await readLedger(folder.path, notes)
  const { results, others } = await ledger.notableResults(now - 26 * hourMs, now)
  const namesOf = (pattern: RegExp): readonly string[] =>
    results.flatMap(({ tenant }) => (pattern.test(tenant) ? [tenant] : []))
  expect([namesOf(/^fresh/).length, namesOf(/^stale/).length, namesOf(/^(?!fresh|stale)/)]).toEqual([
    20,
    20,
    ['ahead', 'quick', 'was-damaged', 'was-sound'],
  ])
  expect(others).toEqual({ fresh: 5986, stale: 10, pinned: 6, oldestAt: now - 50 * hourMs })
  expect(namesOf(/^fresh/)[19]).toBe('fresh-00019')
  // The same results as in the whole list.
  const all = await ledger.lastResults()
  expect(all).toHaveLength(6040)
  expect(results).toEqual(all.filter(({ tenant }) => results.some((one) => one.tenant === tenant)))
  // Both in one go, for a document of all files: it may be read more than once.
  const both = await ledger.allResults(now - 26 * hourMs, now)
  for (const _ of [1, 2]) expect([...both.all]).toEqual(all)
  expect(both.notable).toEqual({ results, others })
})

test('a few files are all listed', async () => {
  using folder = scratch()
  write(folder.path, [...many('fresh', 20, 1), ...many('stale', 20, 50)])
  await using ledger = await readLedger(folder.path, notes)
  const { results, others } = await ledger.notableResults(now - 26 * hourMs, now)
  expect([results.length, others]).toEqual([40, { fresh: 0, stale: 0, pinned: 0, oldestAt: null }])
})
