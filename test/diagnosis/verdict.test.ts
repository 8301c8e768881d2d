/** From facts to verdict, damage class, remedy and causes (diagnosis/README.md). */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Fact } from '../../src/model/result/reading.ts'
import { context, message, messages, reading, thrown } from '../support/diagnosis.ts'

const say = (...texts: readonly string[]) => diagnose(reading(messages(...texts)), context)
const found = (finding: Extract<Fact, { kind: 'found' }>['finding']): Fact => ({ kind: 'found', finding })

describe('sound and inconclusive', () => {
  test('nothing found and everything read is sound', () => {
    expect(say()).toMatchObject({
      verdict: { kind: 'sound' },
      damage: 'none',
      findings: [],
      remedy: { do: 'nothing', command: null },
      causes: [],
    })
  })

  test('a quick check that finds nothing is sound and does not claim what it did not look at', () => {
    expect(diagnose(reading([], { depth: 'quick' }), context).remedy.why).toContain(
      'does not compare rows with index entries',
    )
  })

  test('notices alone stay sound and are listed with exact totals', () => {
    const diagnosis = diagnose(
      reading([
        ...messages('CHECK constraint failed in users', 'CHECK constraint failed in users'),
        { kind: 'orphans', table: 'events', parent: 'users', rows: [3, 9], total: 700 },
      ]),
      context,
    )
    expect(diagnosis.verdict.kind).toBe('sound')
    expect(diagnosis.findings.map(({ rule, severity, total, rows }) => ({ rule, severity, total, rows }))).toEqual([
      { rule: 'check-failed', severity: 'notice', total: 2, rows: undefined },
      { rule: 'foreign-key-violated', severity: 'notice', total: 700, rows: [3, 9] },
    ])
    expect(diagnosis.findings[1]?.text).toBe('700 rows of events refer to rows that do not exist in users')
  })

  test.each([
    ['crashed', 'checker-crashed'],
    ['memory', 'checker-crashed'],
    ['timeout', 'check-timeout'],
  ] as const)('a child that ended (%s) makes the verdict inconclusive, not damaged', (how, rule) => {
    const diagnosis = diagnose(
      reading([{ kind: 'child-ended', how, during: 'integrity_check', detail: 'SIGSEGV' }], { complete: false }),
      context,
    )
    expect(diagnosis).toMatchObject({
      verdict: { kind: 'inconclusive' },
      damage: 'none',
      findings: [{ rule, severity: 'notice' }],
      remedy: { do: 'nothing', command: `holdfast explain ${rule}` },
    })
    expect(diagnosis.remedy.why).toContain('SIGSEGV')
  })

  test('a child that ended beside real damage leaves it damaged, and says that not everything was read', () => {
    const diagnosis = diagnose(
      reading(
        [
          message('wrong # of entries in index users_mail'),
          { kind: 'child-ended', how: 'timeout', during: 'integrity_check', detail: '' },
        ],
        { complete: false },
      ),
      context,
    )
    expect(diagnosis).toMatchObject({ verdict: { kind: 'damaged' }, damage: 'index', remedy: { do: 'ask' } })
    expect(diagnosis.remedy.why).toContain('not everything was read')
  })

  test('a reading that broke off without a word is inconclusive', () => {
    expect(diagnose(reading([], { complete: false }), context).verdict).toEqual({
      kind: 'inconclusive',
      reason: 'not everything was read: the check stopped before its end',
    })
  })

  test.each([
    'no such collation sequence: swedish',
    'no such function: geo',
    'no such module: spellfix1',
    'unknown tokenizer: icu',
  ])('what the application brings and we lack is not damage: %s', (text) => {
    expect(
      diagnose(reading([thrown('SQLITE_ERROR', text, 'events_kind')], { complete: false }), context),
    ).toMatchObject({ verdict: { kind: 'inconclusive' }, damage: 'none', findings: [] })
  })

  test('an unknown collation may be accepted, a missing function may not', () => {
    const accepting = { ...context, accept: ['unknown-collation'] as const }
    const skipped = (why: string) => ({
      complete: false,
      coverage: { pages: 9, pagesRead: 9, objects: 1, skipped: [{ object: 'events_kind', why }] },
    })
    expect(diagnose(reading([], skipped('no such collation sequence: swedish')), accepting).verdict.kind).toBe('sound')
    expect(
      diagnose(
        reading([thrown('SQLITE_ERROR', 'no such collation sequence: swedish', 'events_kind')], { complete: false }),
        accepting,
      ).verdict.kind,
    ).toBe('sound')
    expect(diagnose(reading([], skipped('no such function: geo')), accepting).verdict.kind).toBe('inconclusive')
    expect(diagnose(reading([], skipped('no such collation sequence: swedish')), context).verdict.kind).toBe(
      'inconclusive',
    )
  })

  test.each([
    'SQLITE_IOERR',
    'SQLITE_IOERR_READ',
    'SQLITE_IOERR_SHORT_READ',
    'SQLITE_NOMEM',
    'SQLITE_FULL',
    'SQLITE_BUSY',
    'SQLITE_CANTOPEN',
    'SQLITE_INTERRUPT',
  ])('%s is never damage', (code) => {
    expect(diagnose(reading([thrown(code, 'disk I/O error')], { complete: false }), context)).toMatchObject({
      verdict: { kind: 'inconclusive' },
      damage: 'none',
    })
  })
})

describe('damage', () => {
  test('a single index that lost rows is to be rebuilt, with the doubt said', () => {
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

  test('the position in the scan is never told as a rowid', () => {
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

  test('two counts that differ with no row missing accuse the table: it has lost rows that the indexes still hold', () => {
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
      remedy: { do: 'rebuild', indexes: [] },
      findings: [{ rule: 'page-unowned', severity: 'leak', total: 3 }],
    })
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
      command: 'holdfast repair --tenant acme',
    })
    expect(diagnose(reading(facts), { ...context, verifiedBackup: true }).remedy).toMatchObject({
      do: 'restore',
      command: 'holdfast restore --tenant acme',
    })
    expect(diagnose(reading(facts), { ...context, tenant: null, path: "/tmp/it's here.db" }).remedy.command).toBe(
      `holdfast repair '/tmp/it'\\''s here.db'`,
    )
  })

  test('a full-text index with content is rebuilt, one without is not', () => {
    expect(say('malformed inverted index for FTS5 table main.ft')).toMatchObject({
      damage: 'fts',
      remedy: { do: 'rebuild' },
    })
    expect(say('malformed inverted index for FTS5 table main.bare_ft')).toMatchObject({
      damage: 'fts',
      remedy: { do: 'ask' },
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

  test('a throw over a broken index page tells of the index, not of the table', () => {
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

  test('what the page accounting and SQLite both say is said once, with the trail', () => {
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

describe('causes', () => {
  const bug = (serviceSqlite: string) =>
    diagnose(reading([message('row 3 missing from index events_kind')]), { ...context, serviceSqlite }).causes.some(
      ({ hint }) => hint === 'wal-reset-bug',
    )
  test.each([
    ['3.6.23', false],
    ['3.7.0', true],
    ['3.40.1', true],
    ['3.44.5', true],
    ['3.44.6', false],
    ['3.45.0', true],
    ['3.50.6', true],
    ['3.50.7', false],
    ['3.51.2', true],
    ['3.51.3', false],
    ['3.54.1', false],
    ['4.0.0', false],
    ['rubbish', false],
  ])('SQLite %s has the WAL-reset bug: %s', (version, expected) => {
    expect(bug(version)).toBe(expected)
  })

  test('the WAL-reset bug is not blamed for damage of another shape, nor anything for a sound file', () => {
    const suspicious = { ...context, serviceSqlite: '3.46.0', links: 2, fileSystem: 'nfs4' }
    expect(diagnose(reading([message('NULL value in users.mail')]), suspicious).causes.map(({ hint }) => hint)).toEqual(
      ['many-names', 'untrusted-file-system'],
    )
    expect(diagnose(reading([]), suspicious).causes).toEqual([])
  })
})

describe('for any facts', () => {
  const name = fc.constantFrom('events_kind', 'events_at', 'users_mail', 'nobody', 'a.b', 'x\ny')
  const small = fc.integer({ min: 1, max: 60 })
  const damaging = fc.oneof(
    fc
      .tuple(
        small,
        small,
        fc.constantFrom(
          'free space corruption',
          'Child page depth differs',
          'Rowid 5 out of order',
          'btreeInitPage() returns error code 11',
          'overflow list length is 1 but should be 2',
        ),
      )
      .map(([root, page, text]) => `Tree ${root} page ${page}: ${text}`),
    fc.tuple(small, name).map(([row, index]) => `row ${row} missing from index ${index}`),
    name.map((index) => `wrong # of entries in index ${index}`),
    name.map((index) => `non-unique entry in index ${index}`),
    small.map((page) => `Page ${page}: never used`),
    small.map((page) => `2nd reference to page ${page}`),
    small.map((page) => `Freelist: invalid page number ${page}`),
    fc.constant('NULL value in users.mail'),
    fc.constant('database disk image is malformed'),
    fc
      .string({ minLength: 1, maxLength: 40 })
      .filter((text) => text.trim() !== '')
      .map((text) => `unheard of ${text}`),
  )
  const harmless = fc.constantFrom(
    'CHECK constraint failed in users',
    'NUMERIC value in users.mail',
    'TEXT value in events.kind',
  )
  const fact = fc.oneof(
    { weight: 5, arbitrary: damaging.map(message) },
    { weight: 2, arbitrary: harmless.map(message) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        thrown('SQLITE_CORRUPT', 'database disk image is malformed'),
        thrown('SQLITE_IOERR', 'disk I/O error'),
        thrown('SQLITE_CORRUPT', 'database disk image is malformed', 'events'),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant<Fact>({ kind: 'child-ended', how: 'crashed', during: 'integrity_check', detail: '' }),
    },
  )

  test('never sound while one fact speaks of damage', () => {
    fc.assert(
      fc.property(damaging, fc.array(fact, { maxLength: 12 }), fc.nat(12), (text, facts, at) => {
        expect(diagnose(reading(facts.toSpliced(at, 0, message(text))), context).verdict.kind).toBe('damaged')
      }),
    )
  })

  test('the order of the facts does not matter', () => {
    fc.assert(
      fc.property(
        fc.array(fact, { maxLength: 15 }),
        fc.infiniteStream(fc.double({ noNaN: true, min: 0, max: 1 })),
        (facts, keys) => {
          const shuffled = facts
            .map((one) => ({ one, key: keys.next().value ?? 0 }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ one }) => one)
          expect(diagnose(reading(shuffled), context)).toEqual(diagnose(reading(facts), context))
        },
      ),
    )
  })

  test('no message is lost: each stands in the total of some finding', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(damaging, harmless), { maxLength: 40 }), (texts) => {
        const total = say(...texts).findings.reduce((sum, finding) => sum + (finding.total ?? 0), 0)
        expect(total).toBe(texts.length)
      }),
    )
  })

  test("rebuild is offered only when every finding of damage is an index's, a full-text index's, or the accounting's", () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 12 }), (facts) => {
        const { remedy, findings, damage } = diagnose(reading(facts), context)
        if (remedy.do !== 'rebuild') return
        expect(['index', 'fts', 'structure']).toContain(damage)
        if (damage !== 'structure')
          expect(
            findings
              .filter(({ severity }) => severity !== 'notice')
              .every(
                ({ object, rule }) =>
                  object.kind === 'index' && rule !== 'page-used-twice' && rule !== 'unique-violated',
              ),
          ).toBe(true)
      }),
    )
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
