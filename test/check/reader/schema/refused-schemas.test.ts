/** Schemas that no SQLite accepts, or that lack a tree: they are damaged, and the rest is checked. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import { concludeChanged, known, later, makeChanged, statement } from '../../../support/check/changed-schema.ts'
import type { FileEdit } from '../../../support/check/changed-schema.ts'
import { bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'refused-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

const torn: readonly (readonly [string, FileEdit])[] = [
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

describe.each(torn)('wrong by the rules of every SQLite: %s', (_, change) => {
  test.each([known, later])('damaged, whatever version wrote it (%s)', async (version) => {
    expect(await concludeChanged(path, { ...change, version })).toMatchObject({
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
])('a wrong letter in the first words of %s is damage: %s', async (name, sql) => {
  expect((await concludeChanged(path, { sql: statement(name, sql) })).damage).toBe('schema')
})

test('first words that no known SQLite writes are damage if a known SQLite wrote them', async () => {
  expect((await concludeChanged(path, { sql: statement('meta', 'CREATE TABLF meta(k TEXT, v TEXT)') })).damage).toBe(
    'schema',
  )
  expect(
    (await concludeChanged(path, { sql: statement('meta', 'CREATE TABLF meta(k TEXT, v TEXT)'), version: later }))
      .verdict.kind,
  ).toBe('inconclusive')
})

test.each([
  ['a version far from those in use', { bytes: (bytes: Buffer) => void bytes.fill(200, 19, 20) }],
  ['an old version with a new schema format', { bytes: (bytes: Buffer) => void bytes.fill(9, 47, 48) }],
])('%s: the header is wrong', async (_, change) => {
  expect(await concludeChanged(path, change)).toMatchObject({
    damage: 'file',
    findings: [{ rule: 'header-wrong' }, ...(await concludeChanged(path, change)).findings.slice(1)],
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
    const { damage, findings, remedy } = await concludeChanged(path, { sql }, depth, engine)
    expect([damage, remedy.do]).toEqual(['schema', 'ask'])
    expect(
      findings.filter(({ severity }) => severity === 'damage').map(({ rule, object }) => [rule, object.name]),
    ).toEqual([
      ['schema-incomplete', name],
      ['tree-unowned', 'file'], // The pages of what the schema lacks.
    ])
  })

  test('damage elsewhere is found too', async () => {
    const { findings } = await concludeChanged(path, {
      sql,
      bytes: (bytes) => void bytes.write('kX50', bytes.lastIndexOf('k150')),
    })
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'entry-differs-from-row', rows: [150] }))
  })
})

test('an index whose row has another type is not called the index of a UNIQUE', async () => {
  const sql = "UPDATE sqlite_schema SET type = 'INDEX' WHERE name = 'note_n'"
  const { damage, findings } = await concludeChanged(path, { sql })
  expect(damage).toBe('schema')
  expect(findings.map(({ rule, text }) => `${rule}: ${text}`)).toContain(
    'schema-incomplete: the schema has the statement of index note_n of note in a row of another name or type',
  )
})

test('many rows that SQLite refuses are all reported', async () => {
  makeChanged(path, {})
  const db = new Database(path)
  db.unsafeMode(true)
  for (let i = 0; i < 60; i++) db.exec(`CREATE TABLE x${i}(a, b)`)
  db.pragma('writable_schema=ON')
  db.exec("UPDATE sqlite_schema SET sql = sql || ' WITH HISTORY' WHERE name GLOB 'x*'")
  db.close()
  const reading = await readInProcess(path)
  expect(reading.coverage.skipped.filter(({ object }) => /^x\d+$/.test(object)).length).toBe(60)
  expect(diagnose(reading, bareFileContext).verdict.kind).toBe('inconclusive')
})
