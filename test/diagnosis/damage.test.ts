/** From what SQLite says to the class of the damage and its remedy. */

import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Fact } from '../../src/model/result/reading.ts'
import { context, message, messages, reading, thrown } from '../support/diagnosis.ts'

const say = (...texts: readonly string[]) => diagnose(reading(messages(...texts)), context)
const found = (finding: Extract<Fact, { kind: 'found' }>['finding']): Fact => ({ kind: 'found', finding })

describe('damage', () => {
  test('a single index that lost rows is rebuilt, and the doubt is reported', () => {
    const diagnosis = say(
      'wrong # of entries in index users_mail',
      'row 3 missing from index users_mail',
      'row 8 missing from index users_mail',
    )
    expect(diagnosis).toMatchObject({
      verdict: { kind: 'damaged' },
      damage: 'index',
      remedy: { do: 'rebuild', indexes: ['users_mail'], rehearsed: false, command: 'holdfast repair --tenant acme' },
      causes: [{ hint: 'index-or-table' }],
    })
    expect(diagnosis.findings.map(({ text }) => text)).toContain('2 rows of users are missing from index users_mail')
  })

  test('the position in the scan is never reported as a rowid', () => {
    const diagnosis = say('row 31337 missing from index users_mail', 'row 31338 values differ from index users_mail')
    expect(JSON.stringify(diagnosis)).not.toMatch(/3133[78]/)
    expect(diagnosis.findings.every(({ rows }) => rows === undefined)).toBe(true)
  })

  test('one index of several that differs is the one that is wrong', () => {
    expect(say('row 3 missing from index events_kind')).toMatchObject({
      damage: 'index',
      remedy: { do: 'rebuild', indexes: ['events_kind'] },
      causes: [],
    })
  })

  test('indexes that miss the same row accuse the table', () => {
    const diagnosis = say('row 3 missing from index events_kind', 'row 3 missing from index events_at')
    expect(diagnosis).toMatchObject({
      damage: 'table',
      remedy: { do: 'ask', indexes: [] },
      causes: [{ hint: 'lost-table-write' }],
    })
  })

  test('indexes that miss different rows are each wrong themselves', () => {
    expect(say('row 3 missing from index events_kind', 'row 9 missing from index events_at')).toMatchObject({
      damage: 'index',
      remedy: { do: 'rebuild', indexes: ['events_at', 'events_kind'] },
    })
  })

  test('two counts that differ with no row missing accuse the table, which lost rows that indexes still hold', () => {
    expect(say('wrong # of entries in index events_kind', 'wrong # of entries in index events_at')).toMatchObject({
      damage: 'table',
      remedy: { do: 'ask' },
    })
  })

  test('a unique violation is never mended by a rebuild', () => {
    expect(say('non-unique entry in index users_mail', 'row 1 missing from index users_mail')).toMatchObject({
      damage: 'table',
      remedy: { do: 'ask' },
    })
  })

  test('a page used twice is never index-only, even between two indexes', () => {
    expect(say('Tree 3 page 41 cell 2: 2nd reference to page 42')).toMatchObject({
      damage: 'table',
      remedy: { do: 'ask' },
    })
  })

  test('leaks alone are structure, to be rewritten', () => {
    const diagnosis = say('Page 7: never used', 'Page 9: never used', 'Page 10: never used')
    expect(diagnosis).toMatchObject({
      damage: 'structure',
      remedy: { do: 'rebuild', indexes: [], rewrite: true, command: 'holdfast repair --tenant acme' },
      findings: [{ rule: 'page-unowned', severity: 'leak', total: 3 }],
    })
    expect(diagnosis.remedy).not.toHaveProperty('fts')
    expect(diagnosis.findings[0]?.text).toBe('3 pages belong to no object and are not on the free list: 7, 9-10')
  })

  test('lost pages beside index damage point to lost writes: no rebuild', () => {
    expect(say('Page 7: never used', 'row 3 missing from index events_kind')).toMatchObject({
      damage: 'structure',
      remedy: { do: 'ask' },
    })
  })

  test('table damage is restored where a verified backup exists, else a person is asked', () => {
    const facts = [message('Tree 2 page 40: btreeInitPage() returns error code 11')]
    expect(diagnose(reading(facts), context).remedy).toMatchObject({
      do: 'ask',
      command: 'holdfast pull acme ./pulled',
    })
    expect(diagnose(reading(facts), { ...context, verifiedBackup: true }).remedy).toMatchObject({
      do: 'restore',
      command: 'holdfast restore --tenant acme',
    })
    expect(diagnose(reading(facts), { ...context, tenant: null, path: "/tmp/it's here.db" }).remedy.command).toBe(
      `holdfast salvage '/tmp/it'\\''s here.db' --to '/tmp/it'\\''s here.db.salvaged'`,
    )
  })

  test('a failed CHECK is damage where its table is damaged, a foreign key never', () => {
    const diagnosis = diagnose(
      reading([
        ...messages('CHECK constraint failed in users', 'Tree 5 page 5: free space corruption'),
        { kind: 'orphans', table: 'users', parent: 'events', rows: [1], total: 1 },
      ]),
      context,
    )
    expect(diagnosis.findings.map(({ rule, severity }) => [rule, severity])).toEqual([
      ['check-failed', 'damage'],
      ['page-malformed', 'damage'],
      ['foreign-key-violated', 'notice'],
    ])
  })

  test('an error over a broken index page is about the index, not about the table', () => {
    const facts = [
      ...messages('Tree 3 page 41: btreeInitPage() returns error code 11'),
      thrown('SQLITE_CORRUPT', 'database disk image is malformed'),
      thrown('SQLITE_CORRUPT', 'database disk image is malformed', 'events', "integrity_check('events')"),
    ]
    const diagnosis = diagnose(
      reading(facts, {
        complete: false,
        coverage: { pages: 9, pagesRead: 9, objects: 1, skipped: [{ object: 'events', why: 'SQLITE_CORRUPT' }] },
      }),
      context,
    )
    expect(diagnosis).toMatchObject({ damage: 'index', remedy: { do: 'rebuild', indexes: ['events_kind'] } })
  })

  test("a throw that no broken index explains may be anybody's: no rebuild", () => {
    expect(
      diagnose(reading([thrown('SQLITE_CORRUPT', 'database disk image is malformed')], { complete: false }), context),
    ).toMatchObject({ verdict: { kind: 'damaged' }, damage: 'table', remedy: { do: 'ask' } })
    expect(
      diagnose(
        reading(
          [
            message('Tree 3 page 41: free space corruption'),
            thrown('SQLITE_CORRUPT', 'database disk image is malformed', 'users'),
          ],
          { complete: false },
        ),
        context,
      ),
    ).toMatchObject({ damage: 'table', remedy: { do: 'ask' } })
  })

  test.each([
    [
      thrown('SQLITE_CORRUPT', 'malformed database schema (events) - near "(": syntax error'),
      'schema-unreadable',
      'schema',
    ],
    [thrown('SQLITE_NOTADB', 'file is not a database'), 'not-a-database', 'file'],
    [thrown('SQLITE_CORRUPT_VTAB', 'database disk image is malformed', 'ft'), 'fts-broken', 'fts'],
  ] as const)('%o', (fact, rule, damage) => {
    expect(diagnose(reading([fact]), context)).toMatchObject({
      verdict: { kind: 'damaged' },
      damage,
      findings: [{ rule }],
    })
  })

  test('what the page accounting and SQLite both report is listed once, with the trail', () => {
    const trail = {
      rule: 'page-unowned',
      severity: 'leak',
      source: 'census',
      object: { kind: 'file', name: 'file', table: null },
      page: 9,
      text: 'page 9 belongs to nothing',
    } as const
    expect(diagnose(reading([found(trail), message('Page 9: never used')]), context).findings).toEqual([trail])
    expect(diagnose(reading([found(trail), message('Page 8: never used')]), context).findings).toHaveLength(2)
  })

  test('thousands of broken pages do not make thousands of findings, and none is lost', () => {
    const { findings } = diagnose(
      reading(
        Array.from({ length: 5_000 }, (_, index) => message(`Tree 2 page ${index + 100}: free space corruption`)),
      ),
      context,
    )
    expect(findings.length).toBeLessThan(30)
    expect(findings.reduce((sum, { total }) => sum + (total ?? 0), 0)).toBe(5_000)
  })
})
