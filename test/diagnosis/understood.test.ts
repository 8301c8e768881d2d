/**
 * Errors of SQLite are explained by what our own reading found. What is not understood comes with the writer of the
 * file.
 */
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { limitOf } from '../../src/diagnosis/limits.ts'
import { isDamage } from '../../src/diagnosis/messages/refusal.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import type { Fact } from '../../src/model/result/reading.ts'
import { context, message, reading, thrown } from '../support/diagnosis.ts'

const corrupt = (about: string): Fact =>
  thrown('SQLITE_CORRUPT', 'database disk image is malformed', about, 'quick_check')
const whole = (...names: readonly string[]) => names.map((name) => ({ name, rows: 3, digest: '0123456789abcdef' }))
const found = (finding: Pick<Finding, 'rule' | 'object'> & Partial<Finding>): Fact => ({
  kind: 'found',
  finding: { severity: 'damage', source: 'census', text: 'something', page: 40, ...finding },
})
const events = { kind: 'table', name: 'events', table: 'events' } as const
const skipped = (object: string, why: string) => ({
  coverage: { pages: 100, pagesRead: 100, objects: 9, skipped: [{ object, why }] },
})

describe('SQLite breaks off over a table', () => {
  test.each([
    [
      'of which every page and row was found whole: the schema, or nothing known',
      whole('events', 'users'),
      [],
      'schema',
      'engine-says',
    ],
    ['whose rows nobody has read: perhaps its rows', [], [], 'table', 'page-unreadable'],
    ['another of which was read', whole('users'), [], 'table', 'page-unreadable'],
    [
      'of which a page is wrong',
      whole('events'),
      [found({ rule: 'page-malformed', object: events })],
      'table',
      'page-malformed',
    ],
    [
      'of which a record is wrong',
      whole('events'),
      [found({ rule: 'record-malformed', object: events })],
      'table',
      'page-unreadable',
    ],
    [
      'of which the schema lacks an index',
      whole('events'),
      [found({ rule: 'schema-incomplete', object: { kind: 'index', name: 'events_kind', table: 'events' } })],
      'schema',
      'schema-incomplete',
    ],
  ] as const)('%s', (_, content, facts, damage, rule) => {
    const diagnosis = diagnose(reading([...facts, corrupt('events')], { content, engine: 'census' }), context)
    expect([diagnosis.damage, diagnosis.findings.map((finding) => finding.rule)]).toEqual([
      damage,
      expect.arrayContaining([rule]),
    ])
    if (damage === 'schema') expect(diagnosis.remedy.why).not.toContain('rows')
  })

  test('pages that were not accounted for leave it open', () => {
    const diagnosis = diagnose(
      reading([corrupt('events')], {
        content: whole('events'),
        engine: 'census',
        ...skipped('pages', '3 pages could not be read from the disk'),
      }),
      context,
    )
    expect(diagnosis.damage).toBe('table')
  })
})

test('the count of an index with an unknown function is not believed; what SQLite says about its pages is', () => {
  const unknown = skipped('events_kind', 'no such function: vector_idx')
  expect(diagnose(reading([message('wrong # of entries in index events_kind')], unknown), context).verdict.kind).toBe(
    'inconclusive',
  )
  expect(
    diagnose(reading([message('Tree 3 page 41: btreeInitPage() returns error code 11')], unknown), context),
  ).toMatchObject({ verdict: { kind: 'damaged' }, damage: 'index' })
  expect(diagnose(reading([message('wrong # of entries in index events_at')], unknown), context).verdict.kind).toBe(
    'damaged',
  )
})

test(
  'who wrote the file last is told where that is newer than we or the ' +
    'service are, and nothing where the file is sound',
  () => {
    const refused: Fact = {
      kind: 'refused',
      name: 'meta',
      table: 'meta',
      why: 'near "HISTORY": syntax error',
      statement: 'whole',
    }
    const hints = (writtenBy: string | null, serviceSqlite: string | null = null) =>
      diagnose(
        reading([refused], {
          writtenBy,
          ...skipped('meta', 'SQLite does not take its statement: near "HISTORY": syntax error'),
        }),
        { ...context, serviceSqlite },
      ).causes.map(({ hint, why }) => `${hint}: ${why}`)
    expect(hints('3.71.0')).toEqual([
      'newer-sqlite: SQLite 3.71.0 wrote the file last; it is newer than SQLite 3.54.1, which holdfast uses',
    ])
    expect(hints('3.53.2', '3.46.0')).toEqual([
      'newer-sqlite: SQLite 3.53.2 wrote the file last; it is newer than SQLite 3.46.0, which the service uses',
    ])
    expect(hints('3.45.1', '3.45.1')).toEqual([
      expect.stringMatching(
        /^other-sqlite: .* 3\.45\.1 as its last writer: another SQLite wrote it, or bytes changed$/,
      ),
    ])
    expect(hints(null)).toHaveLength(1)
    expect(diagnose(reading([], { writtenBy: '3.71.0' }), context)).toMatchObject({
      verdict: { kind: 'sound' },
      causes: [],
    })
  },
)

test.each([
  ['near "HISTORY": syntax error', 'whole', false, false],
  ['unknown table option: X', 'whole', false, false],
  ['too many columns on t', 'whole', false, false],
  ['no such table: main.t', 'whole', true, true],
  ['orphan index', 'whole', true, true],
  ['near "x": syntax error', 'torn', true, true],
  ['near "TABLF": syntax error', 'unlike', true, false],
  ['duplicate column name: a', 'whole', true, false],
  ['there is another table of this name', 'whole', true, true],
] as const)(
  '%s (%s): damage where a SQLite that we know wrote it %s, where a newer one did %s',
  (why, statement, byKnown, byNewer) => {
    const refused = { kind: 'refused', name: 't', table: 't', why, statement } as const
    expect(isDamage(refused, { writtenBy: '3.40.1', sqliteVersion: '3.54.1' })).toBe(byKnown)
    expect(isDamage(refused, { writtenBy: '3.100.0', sqliteVersion: '3.54.1' })).toBe(byNewer)
  },
)

test.each([
  ["its order: collation klingon is the application's own", 'unknown-collation'],
  ['no such collation sequence: klingon', 'unknown-collation'],
  ['no such function: f', 'unknown-function'],
  ['unknown function: f()', 'unknown-function'],
  ['module vec0 is not part of this SQLite', 'unknown-module'],
  ['no such module: vec0', 'unknown-module'],
  ['unknown tokenizer: icu', 'unknown-tokenizer'],
  ['SQLite does not take its statement: near "COLLATION": syntax error', 'newer-sqlite'],
  ['its format is not understood: read version 3 is neither 1 nor 2', 'newer-sqlite'],
  ['3 pages could not be read from the disk', null],
  ['SQLite checked this instead of the census, and finds less: no such collation sequence: klingon', null],
  ['neither the census nor SQLite could compare its entries with the rows', null],
] as const)('%s: %s', (why, limit) => {
  expect(limitOf(why)).toBe(limit)
})
