/**
 * Schemas that this SQLite does not take, or that lack a tree: what is wrong under anybody's rules is damage, what is
 * not understood is inconclusive; the rest is checked.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../../../src/model/result/verdict.ts'
import { create } from '../../../support/databases/create-database.ts'
import { context } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'refused-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

const later = 3_071_000
const known = 3_040_001

interface Change {
  readonly sql?: string
  readonly version?: number
  readonly bytes?: (bytes: Buffer) => void
}

function make({ sql = '', version = known, bytes: change = () => {} }: Change): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.exec(`CREATE TABLE note(id INTEGER PRIMARY KEY, t TEXT UNIQUE, n); CREATE INDEX note_n ON note(n); CREATE TABLE meta(k TEXT, v TEXT); CREATE INDEX meta_k ON meta(k);
      CREATE TABLE pair(a TEXT PRIMARY KEY, b UNIQUE) WITHOUT ROWID`)
    const [note, meta, pair] = [
      'INSERT INTO note VALUES(?,?,?)',
      'INSERT INTO meta VALUES(?,?)',
      'INSERT INTO pair VALUES(?,?)',
    ].map((insert) => db.prepare(insert))
    for (let i = 1; i <= 300; i++) {
      note?.run(i, `t${i}`, i % 9)
      meta?.run(`k${i}`, i)
      pair?.run(`a${i}`, i)
    }
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.exec(sql)
  })
  const bytes = readFileSync(path)
  bytes.writeUInt32BE(version, 96)
  change(bytes)
  writeFileSync(path, bytes)
}

async function conclude(
  change: Change,
  depth: 'quick' | 'full' = 'full',
  engine: 'census' | 'sqlite' = 'census',
): Promise<Diagnosis & { readonly skipped: readonly string[]; readonly tables: readonly string[] }> {
  make(change)
  const reading = await readInProcess(path, depth, engine)
  return {
    ...diagnose(reading, context),
    skipped: reading.coverage.skipped.map(({ object }) => object),
    tables: reading.content.map(({ name }) => name).toSorted(),
  }
}

const statement = (name: string, sql: string): string =>
  `UPDATE sqlite_schema SET sql = '${sql.replaceAll("'", "''")}' WHERE name = '${name}'`
const meta = 'CREATE TABLE meta(k TEXT, v TEXT)'
/** Changes the row t150 of note behind its index. */
const wound = (bytes: Buffer): void => void bytes.write('t1X0', bytes.lastIndexOf('t150'))

const foreign: readonly (readonly [string, Change, readonly string[], string | null])[] = [
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
    const { verdict, findings, skipped, causes } = await conclude(change, depth, engine)
    expect([verdict.kind, findings.filter(({ severity }) => severity !== 'notice')]).toEqual(['inconclusive', []])
    expect(skipped).toEqual(expect.arrayContaining([...objects]))
    expect(causes.map(({ hint }) => hint)).toEqual(cause === null ? [] : [cause])
  })

  test.skipIf(/read version|schema format/.test(name))(
    'damage elsewhere is found, as far as the format is known',
    async () => {
      const { damage, findings } = await conclude({
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
  expect(await conclude({ version: later })).toMatchObject({ verdict: { kind: 'sound' }, causes: [] })
  const { verdict, tables } = await conclude({ sql: statement('meta', `${meta} WITH HISTORY`), version: later })
  expect([verdict.kind, tables]).toEqual(['inconclusive', ['note', 'pair']])
})

const torn: readonly (readonly [string, Change])[] = [
  ['a statement that is cut', { sql: "UPDATE sqlite_schema SET sql = substr(sql, 1, 20) WHERE name = 'meta'" }],
  [
    'bytes of something else',
    { bytes: (bytes) => void bytes.write('\u0000\u0007\u0091\u0001', bytes.indexOf('meta(k TEXT'), 'latin1') },
  ],
  ['a string without an end', { sql: statement('meta', "CREATE TABLE meta(k TEXT, v TEXT DEFAULT 'x)") }],
  ['another object', { sql: statement('meta', 'CREATE TABLE atem(k TEXT, v TEXT)') }],
  ['no statement', { sql: "UPDATE sqlite_schema SET sql = NULL WHERE name = 'meta'" }],
  ['the row of a table is gone', { sql: "DELETE FROM sqlite_schema WHERE name = 'note'" }],
  ['two tables of one name', { sql: "INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'meta'" }],
  ['a root page behind the end', { sql: "UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'meta'" }],
]

describe.each(torn)('wrong by anybody\u2019s rules: %s', (_, change) => {
  test.each([known, later])('damaged, whoever wrote it (%s)', async (version) => {
    expect(await conclude({ ...change, version })).toMatchObject({
      verdict: { kind: 'damaged' },
      damage: 'schema',
      remedy: { do: 'ask' },
    })
  })
})

test.each([
  ['meta_k', 'CREATE UNIQXE INDEX meta_k ON meta(k)'],
  ['meta_k', 'CREATE INDEY meta_k ON meta(k)'],
  ['meta', 'CREATE VIRTUBL TABLE meta USING fts5(k)'],
])('a letter of the head of %s that is wrong is damage: %s', async (name, sql) => {
  expect((await conclude({ sql: statement(name, sql) })).damage).toBe('schema')
})

test('a head that no SQLite we know writes is damage, where one that we know wrote it', async () => {
  expect((await conclude({ sql: statement('meta', 'CREATE TABLF meta(k TEXT, v TEXT)') })).damage).toBe('schema')
  expect(
    (await conclude({ sql: statement('meta', 'CREATE TABLF meta(k TEXT, v TEXT)'), version: later })).verdict.kind,
  ).toBe('inconclusive')
})

test.each([
  ['a version that nobody will have soon', { bytes: (bytes: Buffer) => void bytes.fill(200, 19, 20) }],
  ['an old version with a new schema format', { bytes: (bytes: Buffer) => void bytes.fill(9, 47, 48) }],
])('%s is a header that is wrong', async (_, change) => {
  expect(await conclude(change)).toMatchObject({
    damage: 'file',
    findings: [{ rule: 'header-wrong' }, ...(await conclude(change)).findings.slice(1)],
  })
})

const lacking: readonly (readonly [string, string, string])[] = [
  [
    'the index of a UNIQUE',
    "DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_note_1'",
    'sqlite_autoindex_note_1',
  ],
  [
    'the index of a UNIQUE of a table WITHOUT ROWID',
    "DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_pair_2'",
    'sqlite_autoindex_pair_2',
  ],
  ['the root page of an index', "UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'note_n'", 'note_n'],
  ['the root page of a table', "UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'note'", 'note'],
]

describe.each(lacking)('the schema lacks %s', (_, sql, name) => {
  test.each([
    ['full', 'census'],
    ['full', 'sqlite'],
    ['quick', 'census'],
  ] as const)('damage of the schema, not of rows (%s, %s)', async (depth, engine) => {
    const { damage, findings, remedy } = await conclude({ sql }, depth, engine)
    expect([damage, remedy.do]).toEqual(['schema', 'ask'])
    expect(
      findings.filter(({ severity }) => severity === 'damage').map(({ rule, object }) => [rule, object.name]),
    ).toEqual([['schema-incomplete', name]])
  })

  test('and damage elsewhere is found', async () => {
    const { findings } = await conclude({ sql, bytes: (bytes) => void bytes.write('kX50', bytes.lastIndexOf('k150')) })
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'entry-differs-from-row', rows: [150] }))
  })
})

test('many rows that SQLite does not take are all told of', async () => {
  make({})
  const db = new Database(path)
  db.unsafeMode(true)
  for (let i = 0; i < 60; i++) db.exec(`CREATE TABLE x${i}(a, b)`)
  db.pragma('writable_schema=ON')
  db.exec("UPDATE sqlite_schema SET sql = sql || ' WITH HISTORY' WHERE name GLOB 'x*'")
  db.close()
  const reading = await readInProcess(path)
  expect(reading.coverage.skipped.filter(({ object }) => /^x\d+$/.test(object)).length).toBe(60)
  expect(diagnose(reading, context).verdict.kind).toBe('inconclusive')
})
