/** Schemas and headers that this SQLite does not understand: the result is inconclusive, and the rest is checked. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { concludeChanged, later, meta, statement } from '../../../support/check/changed-schema.ts'
import type { FileEdit } from '../../../support/check/changed-schema.ts'

const folder = mkdtempSync(join(tmpdir(), 'refused-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

/** Changes the row t150 of note behind its index. */
const wound = (bytes: Buffer): void => void bytes.write('t1X0', bytes.lastIndexOf('t150'))

const foreign: readonly (readonly [string, FileEdit, readonly string[], string | null])[] = [
  ['a table option', { sql: statement('meta', `${meta} WITH HISTORY`) }, ['meta', 'meta_k'], 'other-sqlite'],
  [
    'a table option of a newer SQLite',
    { sql: statement('meta', `${meta} WITH HISTORY`), version: later },
    ['meta', 'meta_k'],
    'newer-sqlite',
  ],
  [
    'a table option like one that is known',
    { sql: statement('meta', `${meta} RANDOM ROWID`) },
    ['meta', 'meta_k'],
    'other-sqlite',
  ],
  [
    'a type of STRICT tables',
    { sql: statement('meta', 'CREATE TABLE meta(k TEXT, v UUID) STRICT') },
    ['meta', 'meta_k'],
    'other-sqlite',
  ],
  [
    'syntax of an index',
    { sql: statement('meta_k', 'CREATE INDEX meta_k ON meta USING gin(k)') },
    ['meta_k'],
    'other-sqlite',
  ],
  [
    'an object of a newer SQLite',
    {
      sql: "INSERT INTO sqlite_schema VALUES('table', 'mv', 'mv', 0, 'CREATE MATERIALIZED VIEW mv AS SELECT 1')",
      version: later,
    },
    ['mv'],
    'newer-sqlite',
  ],
  [
    'words in front of what is created',
    { sql: statement('meta', 'CREATE UNLOGGED TABLE meta(k TEXT, v TEXT)') },
    ['meta', 'meta_k'],
    'other-sqlite',
  ],
  [
    'a kind of object',
    { sql: "INSERT INTO sqlite_schema VALUES('sequence', 'sq', 'sq', 0, 'CREATE SEQUENCE sq START 1')" },
    ['sq'],
    'other-sqlite',
  ],
  [
    'a kind of object of two words',
    {
      sql:
        "INSERT INTO sqlite_schema VALUES('materialized view', 'mv', 'mv', " +
        "0, 'CREATE MATERIALIZED VIEW mv AS SELECT 1')",
    },
    ['mv'],
    'other-sqlite',
  ],
  [
    'an order of an index',
    { sql: statement('meta_k', 'CREATE INDEX meta_k ON meta(k NULLS LAST)') },
    ['meta_k'],
    'other-sqlite',
  ],
  ['a function in an index', { sql: statement('meta_k', 'CREATE INDEX meta_k ON meta(f(k))') }, ['meta_k'], null],
  [
    'a function in an index that the fork keeps elsewhere',
    {
      sql:
        'DROP INDEX meta_k; CREATE INDEX meta_k ON meta(k) WHERE 0; ' +
        statement('meta_k', 'CREATE INDEX meta_k ON meta(f(k))'),
    },
    ['meta_k'],
    null,
  ],
  [
    'a function in a condition',
    { sql: statement('meta_k', 'CREATE INDEX meta_k ON meta(k) WHERE f(k)') },
    ['meta_k'],
    null,
  ],
  [
    'a function in a CHECK',
    { sql: statement('meta', 'CREATE TABLE meta(k TEXT, v TEXT CHECK (f(v)))') },
    ['meta'],
    null,
  ],
  [
    'a module',
    { sql: "INSERT INTO sqlite_schema VALUES('table', 'vec', 'vec', 0, 'CREATE VIRTUAL TABLE vec USING vec0(e)')" },
    ['vec'],
    null,
  ],
  [
    'a tokenizer',
    {
      sql:
        "INSERT INTO sqlite_schema VALUES('table', 'ft', 'ft', 0, 'CREATE " +
        "VIRTUAL TABLE ft USING fts5(a, tokenize=jieba)')",
    },
    ['ft'],
    null,
  ],
  ['a read version', { bytes: (bytes) => void bytes.fill(3, 18, 20) }, ['header'], 'other-sqlite'],
  [
    'a read version of a newer SQLite',
    { bytes: (bytes) => void bytes.fill(9, 18, 20), version: later },
    ['header'],
    'newer-sqlite',
  ],
  ['a write version', { bytes: (bytes) => void bytes.fill(3, 18, 19) }, ['header'], 'other-sqlite'],
  [
    'a schema format of a newer SQLite',
    { bytes: (bytes) => void bytes.fill(5, 47, 48), version: later },
    ['header', 'sqlite_schema'],
    'newer-sqlite',
  ],
  ['a schema format', { bytes: (bytes) => void bytes.fill(5, 47, 48) }, ['header', 'sqlite_schema'], 'other-sqlite'],
  [
    'a text encoding of a newer SQLite',
    { bytes: (bytes) => void bytes.fill(4, 59, 60), version: later },
    ['header'],
    'newer-sqlite',
  ],
]

describe.each(foreign)('not understood: %s', (name, change, objects, cause) => {
  // A quick check asks no function of a tokenizer.
  const ways = [
    ['full', 'census'],
    ['full', 'sqlite'],
    ...(name === 'a tokenizer' ? [] : [['quick', 'census'] as const]),
  ] as const
  test.each(ways)('inconclusive (%s, %s)', async (depth, engine) => {
    const { verdict, findings, skipped, causes } = await concludeChanged(path, change, depth, engine)
    expect([verdict.kind, findings.filter(({ severity }) => severity !== 'notice')]).toEqual(['inconclusive', []])
    expect(skipped).toEqual(expect.arrayContaining([...objects]))
    expect(causes.map(({ hint }) => hint)).toEqual(cause === null ? [] : [cause])
  })

  test.skipIf(/read version|schema format/.test(name))(
    'damage elsewhere is found, as far as the format is known',
    async () => {
      const { damage, findings } = await concludeChanged(path, {
        ...change,
        bytes: (bytes) => {
          change.bytes?.(bytes)
          wound(bytes)
        },
      })
      expect(damage).toBe('index')
      expect(findings).toContainEqual(
        expect.objectContaining({
          rule: 'entry-differs-from-row',
          object: expect.objectContaining({ name: 'sqlite_autoindex_note_1' }),
          rows: [150],
        }),
      )
    },
  )
})

test('what a newer SQLite wrote and this one understands is sound', async () => {
  expect(await concludeChanged(path, { version: later })).toMatchObject({ verdict: { kind: 'sound' }, causes: [] })
  const { verdict, tables } = await concludeChanged(path, {
    sql: statement('meta', `${meta} WITH HISTORY`),
    version: later,
  })
  expect([verdict.kind, tables]).toEqual(['inconclusive', ['note', 'pair']])
})
