/** Level `pinned` in the words of reports: how a file was pinned, what that proves, and what a second snapshot says. */
import { describe, expect, test } from 'vitest'
import type { Evidence, PinEvidence } from '../../src/model/result/evidence.ts'
import type { Result } from '../../src/model/result/report.ts'
import { beforeRemedy, describePinned, pinClauses, secondSnapshotWords } from '../../src/report/describe-pinned.ts'
import { renderJson } from '../../src/report/json.ts'
import { evidenceFacts } from '../../src/report/page/evidence.ts'
import { problemHtml } from '../../src/report/page/problem-article.ts'
import { renderReport } from '../../src/report/text/text.ts'
import { damaged, failed, report, sealed, sound } from '../support/report.ts'

const pin: PinEvidence = {
  branch: 'wal',
  heldMs: 57,
  mark: { frames: 1483, salts: '00112233aabbccdd' },
  walGrewBytes: 0,
  journal: 'none',
  checkpoint: 'refused',
  lastSeenConnected: true,
}
const pinned: Evidence = { ...sealed, level: 'pinned', lease: null, quiesce: null, pin }
const options = { width: Infinity, color: false, verbose: false }

describe('how a file was pinned', () => {
  test.each([
    ['a WAL', pin, ['writers went on for the 57 ms of the copy, which ends with frame 1,483 of the WAL']],
    [
      'a WAL that grew, and whose program left',
      { ...pin, walGrewBytes: 2_000_000, lastSeenConnected: false },
      [
        expect.stringContaining('57 ms'),
        'the WAL grew by 2.0 MB meanwhile',
        'the program closed the file meanwhile, and its WAL waits for the next start of the program',
      ],
    ],
    [
      'a rollback journal that a crash left',
      { ...pin, branch: 'rollback-journal', mark: null, journal: 'hot' },
      [
        'a commit could wait 57 ms for the copy, and 100 ms more because SQLite sleeps between two attempts',
        'a journal that a crash has left was copied too',
      ],
    ],
    [
      'no program',
      { ...pin, branch: 'idle', mark: null },
      ['no program was connected to the database, and none came during the copy'],
    ],
    ['a file that was not pinned', null, []],
    ['a report of an older holdfast', undefined, []],
  ] as const)('%s', (_what, given, clauses) => {
    expect(pinClauses(given)).toEqual(clauses)
  })
})

describe('below the results', () => {
  const noteOf = (...results: readonly Result[]): string => describePinned(results, options).join('\n')

  test('it is said what the level proves, if any result is pinned, and only then', () => {
    expect(noteOf(sound('acme'), damaged('bolt'))).toBe('')
    expect(noteOf(sound('acme'), sound('bolt', { evidence: pinned }))).toMatch(
      /^Pinned: .* ignores these locks\. `hold/,
    )
    expect(renderReport(report([sound('acme', { evidence: pinned })]), options)).toContain('\nPinned: the locks of')
  })

  test('a file of which nothing was read says nothing', () => {
    expect(noteOf(failed('acme', { evidence: pinned }))).toBe('')
  })

  test('several files of a tenant are not of one moment', () => {
    const one = sound('acme', { evidence: pinned })
    const words = 'Each file of a tenant was pinned for itself: they are not of one moment.'
    expect(noteOf(one, { ...one, path: '/srv/notes/acme-files.db' })).toContain(words)
    expect(noteOf(one, sound('bolt', { evidence: pinned }))).not.toContain(words)
    expect(noteOf({ ...one, tenant: null }, { ...one, tenant: null })).not.toContain(words)
  })
})

describe('what a second snapshot says', () => {
  const second = { verdict: 'damaged', evidence: pinned, confirmed: 1, unconfirmed: [], unconfirmedTotal: 0 } as const
  const wordsOf = (secondSnapshot: NonNullable<Result['secondSnapshot']>): string | null =>
    secondSnapshotWords(damaged('acme', { evidence: pinned, secondSnapshot }))

  test('that was not asked for', () => {
    expect(secondSnapshotWords(damaged('acme'))).toBeNull()
  })

  test('that shows it all, a part, or nothing', () => {
    expect([
      wordsOf(second),
      wordsOf({ ...second, confirmed: 2, unconfirmedTotal: 1 }),
      wordsOf({ ...second, verdict: 'sound', confirmed: 0, unconfirmedTotal: 1 }),
    ]).toEqual([
      'a second snapshot, pinned later, shows the same 1 finding of damage',
      'a second snapshot, pinned later, shows the same 2 findings of damage; 1 other finding is in one of the two only',
      'a second snapshot, pinned later, shows none of it (its verdict: sound)',
    ])
  })

  test('that could not be made', () => {
    const failure = { code: 'LOCK_BUSY', message: 'process 7 has it', hint: 'wait', tenantState: 'untouched' } as const
    expect(wordsOf({ ...second, verdict: 'failed', confirmed: 0, failure })).toBe(
      'no second snapshot could confirm the damage: LOCK_BUSY: process 7 has it',
    )
  })

  test('has no keys of rows in a report that redacts them', () => {
    const [finding] = damaged('acme').findings
    const quoting = finding && { ...finding, rule: 'engine-says' as const, text: 'row 4242 is wrong' }
    const unconfirmed = quoting === undefined ? [] : [{ in: 'first' as const, finding: quoting }]
    const result = damaged('acme', { secondSnapshot: { ...second, unconfirmed, unconfirmedTotal: 1 } })
    const json = renderJson(report([result]), { redactKeys: true })
    expect(json).toContain('row # is wrong')
    expect(json).not.toContain('4242')
  })
})

test('before a remedy the program must stop; a held file, and one that is sound, need no such words', () => {
  expect(beforeRemedy(damaged('acme', { evidence: pinned }))).toMatch(
    /^a remedy needs a file that no program has open: stop the program [^;]*$/,
  )
  const idle = { ...pinned, pin: { ...pin, branch: 'idle' as const } }
  expect(beforeRemedy(damaged('acme', { evidence: idle }))).toBe(null)
  const bare = damaged('acme', { tenant: null, path: '/srv/a b.db', evidence: pinned })
  expect(beforeRemedy({ ...bare, remedy: { ...bare.remedy, do: 'ask' } })).toContain(
    "`holdfast check --live '/srv/a b.db' --keep-snapshot DIR` makes a copy, which `holdfast salvage` can read",
  )
  expect([beforeRemedy(damaged('acme')), beforeRemedy(sound('acme', { evidence: pinned }))]).toEqual([null, null])
})

test('the page has the pin among the evidence, and the words about the second snapshot and the remedy', () => {
  const second = { verdict: 'damaged', evidence: pinned, confirmed: 1, unconfirmed: [], unconfirmedTotal: 0 } as const
  expect(evidenceFacts(pinned)).toContainEqual(['Pin', expect.stringMatching(/57 ms[^]*ignores these locks/)])
  expect(evidenceFacts(sealed).map(([term]) => term)).not.toContain('Pin')
  const { text: article } = problemHtml([damaged('acme', { evidence: pinned, secondSnapshot: second })], 0, {
    mode: 'sweep',
    config: null,
    histories: new Map(),
  })
  expect(article).toContain('<p>A second snapshot, pinned later, shows the same 1 finding of damage.</p>')
  expect(article).toContain('<p>A remedy needs a file that no program has open: stop the program first')
})
