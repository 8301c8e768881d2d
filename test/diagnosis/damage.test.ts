/** From what SQLite says to the class of the damage and its remedy. */

import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { afterRehearsal } from '../../src/diagnosis/remedy.ts'
import { tenantId } from '../../src/model/brand.ts'
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

  test.each([
    ['ft', 'ft_content'],
    ['of_users', 'users'],
  ])('the full-text index %s is rebuilt from the text in %s', (name, source) => {
    const { damage, remedy } = say(`malformed inverted index for FTS5 table main.${name}`)
    expect([damage, remedy]).toMatchObject([
      'fts',
      { do: 'rebuild', indexes: [], fts: [{ name, source }], why: expect.stringContaining(`the text in ${source}`) },
    ])
    expect(remedy).not.toHaveProperty('rewrite')
  })

  test('a full-text index without any text is not rebuilt, alone or beside others', () => {
    for (const others of [[], ['malformed inverted index for FTS5 table main.ft']]) {
      const { damage, remedy } = say('malformed inverted index for FTS5 table main.bare_ft', ...others)
      expect([damage, remedy]).toMatchObject([
        'fts',
        { do: 'ask', indexes: [], why: expect.stringMatching(/^bare_ft stores no text, and names no table/) },
      ])
      expect(remedy).not.toHaveProperty('fts')
    }
  })

  test('an index and a full-text index are rebuilt together', () => {
    expect(
      say('row 3 missing from index events_kind', 'malformed inverted index for FTS5 table main.ft').remedy,
    ).toMatchObject({ do: 'rebuild', indexes: ['events_kind'], fts: [{ name: 'ft', source: 'ft_content' }] })
  })

  test('a second reference wholly inside the free list loses nothing: the file is rewritten', () => {
    expect(say('Freelist: 2nd reference to page 43', 'Page 9: never used')).toMatchObject({
      damage: 'structure',
      remedy: { do: 'rebuild', rewrite: true },
    })
    expect(say('Freelist: 2nd reference to page 40')).toMatchObject({ damage: 'table', remedy: { do: 'ask' } })
  })

  test('leaked pages that form a tree are shown to a person, with a verified backup too', () => {
    const tree = found({
      rule: 'tree-unowned',
      severity: 'damage',
      source: 'census',
      object: { kind: 'file', name: 'file', table: null },
      text: '3 of the pages that belong to nothing form a tree: 120 rows of 4 columns',
    })
    const facts = [tree, ...messages('Page 7: never used', 'Page 9: never used', 'Page 10: never used')]
    const backedUp = { ...context, verifiedBackup: true }
    for (const known of [context, backedUp]) {
      expect(diagnose(reading(facts), known)).toMatchObject({
        damage: 'schema',
        findings: [{ rule: 'tree-unowned' }, { rule: 'page-unowned' }],
        remedy: { do: 'ask', indexes: [], command: 'holdfast pull acme ./pulled' },
      })
    }
    expect(diagnose(reading([...facts, message('Tree 2 page 40: free space corruption')]), backedUp).remedy.do).toBe(
      'restore',
    )
  })

  test('where nothing breaks the tie between index and table, both readings are shown', () => {
    const of = (rule: 'row-missing-from-index' | 'entry-without-row' | 'entry-differs-from-row', total: number): Fact =>
      found({
        rule,
        severity: 'damage',
        source: 'census',
        object: { kind: 'index', name: 'users_mail', table: 'users' },
        rows: [1],
        total,
        text: 'text',
      })
    const whyOf = (facts: readonly Fact[]): readonly string[] =>
      diagnose(reading(facts), context).causes.map(({ hint, why }) => `${hint}: ${why}`)
    expect(whyOf([of('row-missing-from-index', 2), of('entry-without-row', 1)])).toEqual([
      'index-or-table: nothing shows whether the index users_mail or its table users is right. ' +
        'If the table is right: the index lacks 2 rows and has 1 entry without a row, and a rebuild mends it. ' +
        'If the index is right: the table has 2 rows too many and has lost 1 row, and a rebuild makes that permanent',
    ])
    expect(whyOf([of('entry-differs-from-row', 3)])[0]).toContain('the table has other values in 3 rows')
  })

  test('another index says nothing about the columns of an index whose entries have other values', () => {
    const differs = found({
      rule: 'entry-differs-from-row',
      severity: 'damage',
      source: 'census',
      object: { kind: 'index', name: 'events_kind', table: 'events' },
      rows: [1],
      total: 1,
      salvage: { columns: ['kind'], total: 1 },
      text: '1 entry of index events_kind differs from the row in events',
    })
    expect(diagnose(reading([differs]), context)).toMatchObject({
      damage: 'index',
      remedy: { do: 'rebuild', indexes: ['events_kind'] },
      causes: [{ hint: 'index-or-table' }],
      findings: [{ text: expect.stringContaining('the index still holds kind of 1 row') }],
    })
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

describe('after the rehearsal', () => {
  const { remedy } = say('row 3 missing from index events_kind')

  test('a rebuild that was sound is offered with --apply', () => {
    expect(afterRehearsal(remedy, null, context)).toEqual({
      ...remedy,
      rehearsed: true,
      command: 'holdfast repair --tenant acme --apply',
    })
  })

  test('one that was not is replaced by a restore, or by a person, with the reason', () => {
    const refused = 'the copy holds a key twice'
    expect(afterRehearsal(remedy, refused, { ...context, verifiedBackup: true })).toMatchObject({
      do: 'restore',
      indexes: [],
      rehearsed: false,
      why: expect.stringContaining(`does not mend the file: ${refused};`),
      command: 'holdfast restore --tenant acme',
    })
    expect(afterRehearsal(remedy, refused, context)).toMatchObject({ do: 'ask', why: expect.stringContaining(refused) })
  })
})

test('commands pass exactly the id and the path, whatever they are called', () => {
  const damaged = [message('wrong # of entries in index users_mail')]
  const commandFor = (tenant: string | null, path = '/x') =>
    diagnose(reading(damaged), { ...context, tenant: tenant === null ? null : tenantId(tenant), path }).remedy.command
  expect(commandFor('-x')).toBe('holdfast repair --tenant=-x')
  expect(commandFor("it's; rm -rf /")).toBe(`holdfast repair --tenant 'it'\\''s; rm -rf /'`)
  expect(commandFor(null, '/a\nb')).toBe(`holdfast repair $'/a\\x0a'$'b'`)
  expect(commandFor(null, '-rf')).toBe('holdfast repair ./-rf')
})
