/** Values that a column does not allow: SQLite counts them, and a query of ours names the rows. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../../../src/model/result/verdict.ts'
import { create } from '../../../support/databases/create-database.ts'
import { EditableDatabase } from '../../../support/databases/surgeon.ts'
import { bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'name-rows-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

/** @param later statements that the schema has afterwards, by name */
function make(sql: string, later: Readonly<Record<string, string>>, encoding = 'UTF-8'): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    db.pragma(`encoding = "${encoding}"`)
    db.exec(sql)
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    for (const [name, statement] of Object.entries(later))
      db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(statement, name)
  })
}

const conclude = async (depth: 'quick' | 'full' = 'full', engine: 'census' | 'sqlite' = 'census'): Promise<Diagnosis> =>
  diagnose(await readInProcess(path, depth, engine), bareFileContext)
const rulesAndRows = ({ findings }: Diagnosis): readonly unknown[] =>
  findings.map(({ rule, object, rows, total }) => [rule, object.name, rows, total])

test.each([
  ['full', 'census'],
  ['full', 'sqlite'],
  ['quick', 'census'],
] as const)('forbidden NULLs, by rowid or key, and the query that lists them (%s, %s)', async (depth, engine) => {
  make(
    `CREATE TABLE "a.b"("x.y", z); INSERT INTO "a.b" VALUES(1, 1), (NULL, 2), (3, NULL), (NULL, NULL);
     CREATE TABLE pref(v, name TEXT, n INT, PRIMARY KEY(name DESC, n)) WITHOUT ROWID;
     INSERT INTO pref VALUES(1, 'größe', 1), (NULL, 'größe', 2), (2, 'x', 1)`,
    {
      'a.b': 'CREATE TABLE "a.b"("x.y" NOT NULL, z NOT NULL)',
      pref: 'CREATE TABLE pref(v NOT NULL, name TEXT, n INT, PRIMARY KEY(name DESC, n)) WITHOUT ROWID',
    },
    'UTF-16le',
  )
  const diagnosis = await conclude(depth, engine)
  expect(rulesAndRows(diagnosis)).toEqual([
    ['null-in-not-null', 'a.b', [2, 3, 4], 3],
    ['null-in-not-null', 'pref', [['größe', 2]], 1],
  ])
  expect(diagnosis).toMatchObject({ damage: 'table', remedy: { do: 'ask' } })
  const db = new Database(path, { readonly: true })
  expect(
    diagnosis.findings.map(({ query }) =>
      db
        .prepare(query ?? '')
        .raw()
        .all(),
    ),
  ).toEqual([[[2], [3], [4]], [['größe', 2]]])
  db.close()
})

test('values of another type in a STRICT table', async () => {
  const columns = (strict: string): string =>
    `CREATE TABLE s(rowid INTEGER PRIMARY KEY, i ${strict && 'INT'}, r ${strict && 'REAL'}, t ` +
    `${strict && 'TEXT'}, b ${strict && 'BLOB'}, a ${strict && 'ANY'}) ${strict}`
  make(
    `${columns('')}; INSERT INTO s VALUES(-5, 1, 1.5, 'x', x'00', 1), (7, 'word', 1.5, 'x', x'00', 'y'), (8, 1, ` +
      `'q', 'x', x'00', NULL), (9, NULL, NULL, x'01', NULL, NULL), (10, 1, 2, 'x', 'text', 1)`,
    { s: columns('STRICT') },
  )
  expect(rulesAndRows(await conclude())).toEqual([['type-mismatch', 's', [7, 8, 9, 10], 4]])
})

test('the first twenty rows, and how many there are', async () => {
  make(
    'CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 3000 UNION ALL ' +
      'SELECT i - 1 FROM n WHERE i > 1) INSERT INTO t SELECT i, NULL FROM n',
    { t: 'CREATE TABLE t(id INTEGER PRIMARY KEY, v NOT NULL)' },
  )
  expect(rulesAndRows(await conclude())).toEqual([
    ['null-in-not-null', 't', Array.from({ length: 20 }, (_, i) => i + 1), 3000],
  ])
})

test('if the table cannot be read, only the message of SQLite stays', async () => {
  make(
    'CREATE TABLE t(id INTEGER PRIMARY KEY, v, w); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i ' +
      '+ 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, nullif(i, 7), i * 1000 FROM n',
    { t: 'CREATE TABLE t(id INTEGER PRIMARY KEY, v NOT NULL, w)' },
  )
  {
    using database = new EditableDatabase(path)
    const last =
      database
        .pages('t')
        .filter((page) => database.bTree(page).leaf)
        .at(-1) ?? 0
    database.write(last, new Uint8Array(1024))
  }
  const { findings, damage } = await conclude()
  expect(damage).toBe('table')
  expect(findings.map(({ rule }) => rule)).toContain('null-in-not-null')
})
