/** The rounds of samples over one file, night after night. */
import { expect, test } from 'vitest'
import type { SampledRange, SampleRound } from '../../../src/model/result/sample.ts'
import { afterSample, nextPage } from '../../../src/runs/sample/rounds.ts'

const file = { tenant: null, path: '/srv/app.db' }
const day = 86_400_000

test('a round goes over all pages; then it is known since when each was read, and the next begins', () => {
  let round: SampleRound | null = null
  const told: unknown[] = []
  for (let night = 0; night < 7; night++) {
    const first = nextPage(round)
    const range: SampledRange = { first, last: Math.min(100, first + 29) }
    const next = afterSample(file, round, range, 100, night * day)
    round = next.round
    const { reported } = next
    const days = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso) / day)
    told.push([reported.first, reported.last, days(reported.since), days(reported.wholeSince)])
  }
  expect(told).toEqual([
    [1, 30, 0, null],
    [31, 60, 0, null],
    [61, 90, 0, null],
    [91, 100, 0, 0],
    [1, 30, 4, 0],
    [31, 60, 4, 0],
    [61, 90, 4, 0],
  ])
})

test('a file that became shorter begins a new round, and the old one counts as not complete', () => {
  const before: SampleRound = { ...file, next: 61, began: 0, wholeSince: null }
  const { round, reported } = afterSample(file, before, { first: 1, last: 20 }, 40, 9 * day)
  expect([round.next, round.began, reported.wholeSince]).toEqual([21, 9 * day, null])
})
