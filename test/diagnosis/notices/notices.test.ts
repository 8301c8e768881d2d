/** The notices about the live set and its history: silent where all is usual, one thing wrong at a time. */
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { noticesOfLiveSet, type FileOfLiveSet } from '../../../src/diagnosis/notices/live-set.ts'
import { rowsGone } from '../../../src/diagnosis/notices/rows-gone.ts'
import { slowerThanUsual, withPace } from '../../../src/diagnosis/notices/slower.ts'
import type { Pace } from '../../../src/model/result/last-good.ts'
import type { Reading } from '../../../src/model/result/reading.ts'
import type { TableContent } from '../../../src/model/result/verdict.ts'
import { context, reading } from '../../support/diagnosis.ts'

const mebibyte = 1 << 20
const day = 86_400_000
const now = 1_795_000_000_000
const file = (part: FileOfLiveSet['part'], bytes: number, ageMs = 0): FileOfLiveSet => ({
  part,
  bytes,
  modifiedMs: now - ageMs,
})
const rolledBack: Reading['recovered'] = {
  companions: [{ part: '-journal', bytes: 4608, did: 'rolled-back' }],
  pagesChanged: 3,
  without: null,
}
const rulesOf = (files: readonly FileOfLiveSet[], more: Partial<Reading> = {}): readonly string[] =>
  noticesOfLiveSet(files, now, { ...reading([]), ...more }).map(({ rule }) => rule)

describe('the files of a live set', () => {
  test.each<[string, readonly FileOfLiveSet[], Partial<Reading>]>([
    ['a file alone', [file('', 40 * mebibyte)], {}],
    ['a new database whose content is still in the WAL', [file('', 4096), file('-wal', 4 * mebibyte)], {}],
    ['a WAL after one large transaction', [file('', 40 * mebibyte), file('-wal', 100 * mebibyte)], {}],
    ['a long WAL of large pages', [file('', 65_536), file('-wal', 200 * mebibyte)], { pageSize: 65_536 }],
    ['a journal that is kept for the next transaction', [file('', 8192), file('-journal', 4608, 60 * day)], {}],
    ['a hot journal of a moment ago', [file('', 8192), file('-journal', 4608, 5000)], { recovered: rolledBack }],
    ['a hot journal of last week', [file('', 8192), file('-journal', 4608, 7 * day)], { recovered: rolledBack }],
    ['nothing is known of the files', [], { recovered: rolledBack }],
  ])('%s is no news', (_, files, more) => {
    expect(rulesOf(files, more)).toEqual([])
  })

  test('a WAL far larger than its file is', () => {
    const files = [file('', 2 * mebibyte), file('-wal', 64 * mebibyte)]
    expect(rulesOf(files)).toEqual(['wal-large'])
    const [found] = noticesOfLiveSet(files, now, reading([]))
    expect(found).toMatchObject({ severity: 'notice', object: { name: 'write-ahead log' }, total: 64 * mebibyte })
    expect(found?.text).toMatch(/^the write-ahead log has 67\.1 MB, and its file only 2\.1 MB: /)
  })

  test('a hot journal that is weeks old is', () => {
    const files = [file('', 8192), file('-journal', 4608, 20 * day)]
    expect(rulesOf(files, { recovered: rolledBack })).toEqual(['journal-old'])
  })
})

const table = (name: string, rows: number, digest: string | null = `${name} ${rows}`): TableContent => ({
  name,
  rows,
  digest,
})
function goneBetween(
  before: readonly TableContent[],
  after: readonly TableContent[],
  more: Partial<Reading> = {},
): readonly (readonly [string, number | undefined])[] {
  const earlier = {
    content: { format: '', tables: before },
    standing: { provenAt: now - day, bootId: '', files: [] },
    run: 'R1',
  }
  return rowsGone(earlier, { ...reading([]), content: after, ...more }).map(({ object, total }) => [object.name, total])
}

describe('rows that are gone since the last sound check', () => {
  test.each<[string, readonly TableContent[], readonly TableContent[]]>([
    ['all are there', [table('events', 900)], [table('events', 900)]],
    ['a small table was emptied', [table('events', 499)], [table('events', 0)]],
    ['a table shrank', [table('events', 100_000)], [table('events', 12_000)]],
    ['a table of some hundred rows shrank to one', [table('events', 9_999)], [table('events', 1)]],
    ['a shadow table of a full-text index was merged', [table('ft_data', 4000)], [table('ft_data', 0)]],
    ['a table was renamed', [table('old', 800, 'same')], [table('events', 800, 'same')]],
    ['a table that is there was not counted', [table('events', 900)], []],
    ['there is a new table', [], [table('events', 900)]],
  ])('%s: no news', (_, before, after) => {
    expect(goneBetween(before, after)).toEqual([])
  })

  test('a table of 500 rows has none', () => {
    expect(goneBetween([table('events', 500), table('users', 7)], [table('events', 0), table('users', 7)])).toEqual([
      ['events', 500],
    ])
  })
  test('a large table has fewer than a tenth', () => {
    expect(goneBetween([table('events', 10_000)], [table('events', 999)])).toEqual([['events', 9001]])
  })
  test('a table is no longer in the schema; not if the reading has not seen all of it', () => {
    expect(goneBetween([table('dropped', 800)], [])).toEqual([['dropped', 800]])
    expect(goneBetween([table('dropped', 800)], [], { complete: false })).toEqual([])
    expect(goneBetween([table('dropped', 800)], [], { depth: 'quick' })).toEqual([])
  })
  test('of very many tables the first are listed, and the others are counted', () => {
    const before = Array.from({ length: 300 }, (_, i) => table(`t${i}`, 600))
    expect(
      goneBetween(
        before,
        before.map(({ name }) => table(name, 0)),
      ),
    ).toHaveLength(20)
  })
  test('it is a notice, and the verdict stays sound', () => {
    const [finding] = rowsGone(
      {
        content: { format: '', tables: [table('events', 900)] },
        standing: { provenAt: now, bootId: '', files: [] },
        run: 'R1',
      },
      { ...reading([]), content: [table('events', 0)] },
    )
    expect(finding?.text).toBe(
      'table events has no rows; it had 900 rows at the last sound check (2026-11-18T17:46:40.000Z, run R1)'.replace(
        '2026-11-18T17:46:40.000Z',
        new Date(now).toISOString(),
      ),
    )
    if (finding === undefined) throw new Error('nothing was found')
    const diagnosis = diagnose(reading([{ kind: 'found', finding }]), context)
    expect([diagnosis.verdict.kind, diagnosis.damage, diagnosis.remedy.do]).toEqual(['sound', 'none', 'nothing'])
    expect(diagnosis.remedy.why).toBe('only notices were found')
  })
})

describe('slower than this file usually is', () => {
  const pace = (checkMs: number, pauseMs: number | null = 10, bytes = 1_000_000): Pace => ({ bytes, checkMs, pauseMs })
  const usual = Array.from({ length: 6 }, (_, i) => pace(2_500 + i, 100 + i))
  const texts = (earlier: readonly Pace[], present: Parameters<typeof slowerThanUsual>[1]): readonly string[] =>
    slowerThanUsual(earlier, present).map(({ text }) => text)

  test.each<[string, readonly Pace[], Parameters<typeof slowerThanUsual>[1]]>([
    ['as long as ever', usual, pace(2_600, 105)],
    ['four times as long', usual, pace(10_100, 400)],
    ['five times as long, and a pause below one second', usual, pace(12_000, 900)],
    ['a check below ten seconds', usual.map(() => pace(10)), pace(9_999)],
    ['only four earlier checks', usual.slice(0, 4), pace(60_000, 30_000)],
    ['a file that has grown tenfold', usual, pace(100_000, 3_000, 10_000_000)],
    ['one slow night among the earlier ones does not move the median', [...usual, pace(90_000)], pace(2_700)],
    ['a check of another kind', usual, { bytes: 1_000_000, checkMs: null, pauseMs: 100 }],
    ['a bare file has no pauses', usual.map(({ checkMs }) => pace(checkMs, null)), pace(2_600, null)],
  ])('%s: no news', (_, earlier, present) => {
    expect(texts(earlier, present)).toEqual([])
  })

  test('the pause, the check', () => {
    expect(texts(usual, pace(2_600, 1_500))).toEqual([
      'the pause took 1.5 s; the median of the 6 sound checks before is 103 ms for a file of this size',
    ])
    expect(texts(usual, pace(40_000, 100))).toEqual([
      'the check took 40.0 s; the median of the 6 sound checks before is 2.5 s for a file of this size',
    ])
  })

  test('a file that has shrunk is not expected to be faster, one that has grown is expected to be slower', () => {
    expect(texts(usual, pace(2_600, 100, 1000))).toEqual([])
    expect(texts(usual, pace(260_000, 100, 10_000_000))).toHaveLength(1)
  })

  test('the history is bounded', () => {
    const long = Array.from({ length: 100 }, (_, i) => i).reduce<readonly Pace[]>(
      (all, i) => withPace(all, pace(i)),
      [],
    )
    expect([long.length, long.at(-1)?.checkMs]).toEqual([15, 99])
  })
})
