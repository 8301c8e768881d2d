/**
 * The live lines: what they show of a long check, what they do not show too early, and that all fits a terminal.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeRun, ProgressText } from '../../../src/cli/progress/progress-text.ts'
import { Rate, timeLeft } from '../../../src/cli/progress/rate.ts'
import type { CheckProgress, RunProgress } from '../../../src/runs/progress-tracker.ts'
import { displayWidth } from '../../../src/text/layout.ts'

interface LiveProgress extends CheckProgress {
  pages: CheckProgress['pages']
}

const checkOf = (name: string): LiveProgress => ({ name, pages: null })
const pagesOf = (pagesDone: number, pages = 100_000): NonNullable<CheckProgress['pages']> => ({
  pagesDone,
  pages,
  pageSize: 4096,
})
const progress = (now: readonly CheckProgress[], more: Partial<RunProgress> = {}): RunProgress => ({
  done: 0,
  total: 1,
  holding: [],
  checking: now,
  ...more,
})

/** Draws ten times a second while so many pages a second are done with. */
function watch(
  text: ProgressText,
  what: RunProgress,
  live: LiveProgress,
  pagesASecond: number,
  fromMs: number,
  toMs: number,
): readonly string[] {
  let lines: readonly string[] = []
  for (let ms = fromMs; ms <= toMs; ms += 100) {
    live.pages = pagesOf(Math.min(100_000, Math.floor((pagesASecond * ms) / 1000)))
    lines = text.lines(what, ms, 77)
  }
  return lines
}

test('a check that takes long says what it reads, how far it is, how fast it goes and how long it will take', () => {
  const live = checkOf('/srv/notes/acme.db')
  const text = new ProgressText(0)
  expect(watch(text, progress([live]), live, 10_000, 0, 400)).toEqual(['0 of 1; checking /srv/notes/acme.db'])
  expect(watch(text, progress([live]), live, 10_000, 500, 900)).toEqual([
    'checking /srv/notes/acme.db  9 %  9,000 of 100,000 pages',
  ])
  expect(watch(text, progress([live]), live, 10_000, 1000, 3000)).toEqual([
    'checking /srv/notes/acme.db  30 %  30,000 of 100,000 pages  41 MB/s  7 s left',
  ])
  expect(watch(text, progress([live]), live, 10_000, 3100, 10_000)).toEqual([
    'checking /srv/notes/acme.db  all 100,000 pages, finishing',
  ])
})

test(
  'several in parallel have a line each below that of the run; what is ' +
    'over quickly has none, and of many some are counted',
  () => {
    const [big, small] = [checkOf('big'), checkOf('small')]
    const text = new ProgressText(0)
    const run = { done: 411, total: 1000, holding: ['next'] }
    watch(text, progress([big], run), big, 5_000, 0, 3000)
    small.pages = pagesOf(10, 20)
    expect(text.lines(progress([big, small], run), 3000, 77)).toEqual([
      '411 of 1000, 137 a second, 5 s left; holding next; checking small',
      '  big  15 %  15,000 of 100,000 pages  20 MB/s  17 s left',
    ])
    const many = Array.from({ length: 19 }, (_, i) => checkOf(`t${i}`))
    for (const one of many) one.pages = pagesOf(50)
    text.lines(progress(many, run), 4000, 77)
    const lines = text.lines(progress(many, run), 6000, 77)
    expect(lines).toHaveLength(17)
    expect(lines[0]).toMatch(/checking t16, t17, t18$/)
  },
)

test('a check that begins anew under the same name is another one', () => {
  const text = new ProgressText(0)
  const first = checkOf('acme')
  watch(text, progress([first]), first, 10_000, 0, 5000)
  const second = checkOf('acme')
  second.pages = pagesOf(10)
  expect(text.lines(progress([second]), 5100, 77)).toEqual(['0 of 1; checking acme'])
})

describe('the rate', () => {
  test('nothing is shown in the first moment, without progress, or when all is done', () => {
    const pace = new Rate(0, 0)
    expect([pace.rate, pace.leftMs(10)]).toEqual([null, null])
    pace.observe(0, 0)
    expect([pace.rate, pace.leftMs(10)]).toEqual([null, null])
    pace.observe(5, 900)
    expect(pace.rate).toBe(null)
    pace.observe(5, 1000)
    expect(pace.rate).toBeGreaterThan(0)
    pace.observe(10, 2000)
    expect(pace.leftMs(10)).toBe(null)
    const still = new Rate(7, 0)
    still.observe(7, 60_000)
    expect([still.rate, still.leftMs(10)]).toEqual([null, null])
  })

  test('it follows a change within seconds, and does not jump with every piece', () => {
    const pace = new Rate(0, 0)
    for (let ms = 100; ms <= 20_000; ms += 100) pace.observe(ms, ms)
    expect(pace.rate).toBeCloseTo(1, 5)
    for (let ms = 100; ms <= 10_000; ms += 100) pace.observe(20_000 + ms / 10, 20_000 + ms)
    expect(pace.rate).toBeLessThan(0.25)
    const pieces = new Rate(0, 0)
    const rates: number[] = []
    for (let ms = 100; ms <= 20_000; ms += 100) {
      pieces.observe(Math.floor(ms / 500) * 500, ms)
      if (ms > 10_000) rates.push(pieces.rate ?? 0)
    }
    expect(Math.max(...rates) / Math.min(...rates)).toBeLessThan(1.15)
  })

  test('whatever is seen: never negative, never infinite, never not a number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -1000, max: 1_000_000 }), fc.integer({ min: -5000, max: 1_000_000 })), {
          maxLength: 30,
        }),
        fc.nat(1_000_000),
        (seen, total) => {
          const pace = new Rate(0, 0)
          for (const [done, atMs] of seen) {
            pace.observe(done, atMs)
            for (const value of [pace.rate, pace.leftMs(total)])
              if (value !== null) expect(Number.isFinite(value) && value > 0).toBe(true)
          }
        },
      ),
    )
  })

  test.each([
    [1, '1 s left'],
    [1001, '2 s left'],
    [59_400, '1 min left'],
    [125_000, '2 min 5 s left'],
    [7_200_000, '2 h left'],
  ])('%i ms are %s', (ms, words) => {
    expect(timeLeft(ms)).toBe(words)
  })
})

test('a run shows no rate in its first second, and none without results', () => {
  const run = progress([], { done: 3, total: 9 })
  expect(describeRun(run, 0, 0)).toBe('3 of 9')
  expect(describeRun(run, 999, 999)).toBe('3 of 9')
  expect(describeRun(run, 2000, 2000)).toBe('3 of 9, 1.5 a second, 4 s left')
  expect(describeRun({ ...run, done: 0 }, 60_000, 60_000)).toBe('0 of 9')
  expect(describeRun({ ...run, done: 9 }, 2000, 2000)).toBe('9 of 9, 4.5 a second')
})

test('the tenant that stands still is named with the time that it has stood', () => {
  const run = progress([], { done: 3, total: 9, paused: [{ name: 'acme', sinceMs: 1_960 }], holding: ['bolt'] })
  expect(describeRun(run, 2000, 2000)).toBe('3 of 9, 1.5 a second, 4 s left; pausing acme for 40 ms; holding bolt')
})

test('no line is wider than the terminal, and nothing of a hostile name reaches it', () => {
  const confusingText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom('\u001b[2J', 'a\nb', '\u202egnp', 'x'.repeat(500), '日本語'.repeat(60)),
  )
  fc.assert(
    fc.property(
      fc.array(confusingText, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 20, max: 120 }),
      fc.nat(2 ** 32),
      fc.nat(2 ** 32),
      (names, width, a, b) => {
        const live = names.map(checkOf)
        for (const one of live) one.pages = { pagesDone: Math.min(a, b), pages: Math.max(a, b, 1), pageSize: 65_536 }
        const text = new ProgressText(0)
        const what = progress(live, { total: names.length, holding: names })
        text.lines(what, 0, width)
        for (const line of text.lines(what, 5000, width)) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width)
          expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        }
      },
    ),
  )
})
