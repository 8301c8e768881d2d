/** Parts that only an application has: the object that needs one is named, and nothing is called damaged. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import { skippedWithLimits } from '../../../../src/diagnosis/limits.ts'
import { engines } from '../../../../src/model/result/reading.ts'
import { create } from '../../../support/databases/create-database.ts'
import { bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'unknown-parts-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

/** The known words, the application's words instead of them, the object that needs these, and the limit. */
const cases = [
  [
    'fts5(body, tokenize = porter)',
    'tokenize = porter',
    "tokenize = 'icu_own de'",
    'drawer',
    'icu_own',
    'unknown-tokenizer',
  ],
  ['fts5(body, tokenize = "porter")', '"porter"', `"'our own' x"`, 'drawer', 'our own', 'unknown-tokenizer'],
  ['fts4(body, tokenize=porter)', 'tokenize=porter', 'tokenize=icu_own de', 'drawer', 'icu_own', 'unknown-tokenizer'],
  ['fts3(body, tokenize porter)', 'porter', 'icu_own', 'drawer', 'icu_own', 'unknown-tokenizer'],
  ['fts5(body)', 'fts5(', 'vec0(', 'drawer', 'vec0', 'unknown-module'],
] as const

const others = [
  ['CREATE TABLE t(a, b); CREATE INDEX i ON t(abs(a))', 'abs(', 'own_fn(', 'i', 'own_fn', 'unknown-function'],
  [
    'CREATE TABLE t(a, b); CREATE INDEX i ON t(a) WHERE abs(a) > 0',
    'abs(',
    'own_fn(',
    'i',
    'own_fn',
    'unknown-function',
  ],
  ['CREATE TABLE t(a, b CHECK(abs(b) >= 0))', 'abs(', 'own_fn(', 't', 'own_fn', 'unknown-function'],
  ['CREATE TABLE t(a, b AS (abs(a)) NOT NULL)', 'abs(', 'own_fn(', 't', 'own_fn', 'unknown-function'],
  ['CREATE TABLE t(a, b); CREATE INDEX i ON t(abs(a))', 'abs(a)', 'abs(a, b)', 'i', 'abs', 'unknown-function'],
  [
    'CREATE TABLE t(a, b); CREATE INDEX i ON t(a COLLATE nocase)',
    'nocase',
    'own_order',
    'i',
    'own_order',
    'unknown-collation',
  ],
  [
    'CREATE TABLE t(a COLLATE nocase PRIMARY KEY, b) WITHOUT ROWID',
    'nocase',
    'own_order',
    't',
    'own_order',
    'unknown-collation',
  ],
] as const

const all = [
  ...cases.map(
    ([module, ...rest]) =>
      [`CREATE VIRTUAL TABLE drawer USING ${module}; INSERT INTO drawer VALUES('a'), ('b')`, ...rest] as const,
  ),
  ...others.map(([sql, ...rest]) => [`${sql}; INSERT INTO t(a) VALUES('x'), ('y')`, ...rest] as const),
]

describe.each(engines)('by %s', (engine) => {
  test.each(all)('%s with %s as %s', async (sql, known, own, object, part, limit) => {
    rmSync(path, { force: true })
    create(path, 1024, (db) => {
      db.exec(sql)
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
      db.prepare('UPDATE sqlite_schema SET sql = replace(sql, ?, ?)').run(known, own)
    })
    const reading = await readInProcess(path, 'full', engine)
    const { verdict, findings } = diagnose(reading, bareFileContext)
    expect(findings).toEqual([])
    expect(verdict).toMatchObject({
      kind: 'inconclusive',
      reason: expect.stringMatching(new RegExp(`\\b${object}: .*${part}`)),
    })
    expect(skippedWithLimits(reading, bareFileContext)).toContainEqual({
      object,
      why: expect.stringContaining(part),
      limit,
    })
  })
})

test('a schema that has lost a row is damaged: what could not be read is no limit of the checker', async () => {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.exec('CREATE TABLE t(a UNIQUE, b); CREATE INDEX i ON t(b); CREATE TABLE other(a)')
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    db.exec("DELETE FROM sqlite_schema WHERE name = 't'")
  })
  const reading = await readInProcess(path)
  expect(diagnose(reading, bareFileContext).damage).toBe('schema')
  const skipped = skippedWithLimits(reading, bareFileContext)
  expect(skipped.map(({ object }) => object)).toEqual(expect.arrayContaining(['i']))
  expect(skipped.filter(({ limit }) => limit !== undefined)).toEqual([])
})
