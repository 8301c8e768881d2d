/** Sound schemas with many or strange names, views, triggers, tables. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { describeSchema, plainStatement } from '../../../../src/check/reader/schema/describe-schema.ts'
import { openDatabase } from '../../../../src/check/reader/sqlite/open-database.ts'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import { create } from '../../../support/databases/create-database.ts'
import { bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'odd-schemas-'))
afterAll(() => rmSync(folder, { recursive: true }))

const path = join(folder, 'made.db')
const make = (pageSize: number, fill: (db: Database.Database) => void): string => {
  rmSync(path, { force: true })
  create(path, pageSize, fill)
  return path
}
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

const odd: readonly (readonly [string, number, (db: Database.Database) => void])[] = [
  [
    'a name of 150,000 letters',
    4096,
    (db) =>
      db.exec(`CREATE TABLE "${'n'.repeat(150_000)}"(a UNIQUE, b); INSERT INTO "${'n'.repeat(150_000)}" VALUES(1, 2)`),
  ],
  [
    'names of 300,000 bytes in UTF-16, on small pages',
    512,
    (db) => {
      db.pragma('encoding = "UTF-16be"')
      db.exec(
        `CREATE TABLE "${'ä'.repeat(100_000)}"(a); CREATE INDEX "${'i'.repeat(150_000)}" ON ` +
          `"${'ä'.repeat(100_000)}"(a); INSERT INTO "${'ä'.repeat(100_000)}" VALUES(1)`,
      )
    },
  ],
  [
    'a statement of a megabyte',
    1024,
    (db) =>
      db.exec(
        `CREATE TABLE t(a CHECK (a <> '${'x'.repeat(1_000_000)}')); CREATE INDEX i ON ` +
          `t(a) WHERE a <> '${'y'.repeat(500_000)}'; INSERT INTO t VALUES(1)`,
      ),
  ],
  [
    'a thousand columns, and all of them in an index',
    4096,
    (db) => {
      const columns = numbers(1000)
        .map((i) => `c${i}`)
        .join(', ')
      db.exec(`CREATE TABLE t(${columns}); CREATE INDEX i ON t(${columns}); INSERT INTO t(c0) VALUES(1)`)
    },
  ],
  [
    'forty views, each twice the one before',
    4096,
    (db) => {
      db.pragma('foreign_keys = OFF')
      db.exec('CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1); CREATE VIEW v0 AS SELECT a FROM t')
      for (const i of numbers(40)) db.exec(`CREATE VIEW v${i + 1} AS SELECT * FROM v${i} UNION ALL SELECT * FROM v${i}`)
      db.exec(
        'CREATE TRIGGER into_view INSTEAD OF INSERT ON v40 BEGIN INSERT INTO t SELECT a FROM v40; ' +
          'END; CREATE TABLE child(a REFERENCES v40(a)); INSERT INTO child VALUES(1)',
      )
    },
  ],
  [
    'hundreds of triggers and of tables WITHOUT ROWID',
    1024,
    (db) => {
      for (const i of numbers(300)) {
        db.exec(`CREATE TABLE t${i}(k PRIMARY KEY, v UNIQUE) WITHOUT ROWID; INSERT INTO t${i} VALUES(1, 2)`)
        db.exec(
          `CREATE TRIGGER r${i} AFTER INSERT ON t${i} BEGIN DELETE FROM t${(i + 1) % 300} WHERE v = "no such"; END`,
        )
      }
    },
  ],
  [
    'full-text tables called like parts of others',
    4096,
    (db) =>
      db.exec(`CREATE VIRTUAL TABLE a USING fts5(x); CREATE VIRTUAL TABLE a_data_x USING /* ( */ rtree(id, l, h);
    CREATE TABLE a_other(x);
    INSERT INTO a VALUES('text'); INSERT INTO a_data_x VALUES(1, 2, 3)`),
  ],
]

describe.each(odd)('%s', (_, pageSize, fill) => {
  test('sound, and described within seconds', async () => {
    const reading = await readInProcess(make(pageSize, fill))
    expect(diagnose(reading, bareFileContext)).toMatchObject({ verdict: { kind: 'sound' } })
    using db = openForDescribing(make(pageSize, fill))
    expect(describeSchema(db.opened).objects.length).toBe(
      reading.objects.filter(({ name }) => !name.startsWith('sqlite_')).length,
    )
  }, 10_000)
})

function openForDescribing(file: string): Disposable & { readonly opened: Database.Database } {
  const opened = openDatabase(file, 'strict')
  return { opened, [Symbol.dispose]: () => void opened.close() }
}

test('shadow tables are found without making SQLite expand every view', async () => {
  const { objects } = await readInProcess(make(4096, odd.at(-1)?.[2] ?? (() => {})))
  expect(
    objects.flatMap(({ name, shadowOf }) => (shadowOf === null ? [] : [`${name}: ${shadowOf}`])).toSorted(),
  ).toEqual([
    'a_config: a',
    'a_content: a',
    'a_data: a',
    'a_data_x_node: a_data_x',
    'a_data_x_parent: a_data_x',
    'a_data_x_rowid: a_data_x',
    'a_docsize: a',
    'a_idx: a',
  ])
})

test('statements that are written in another way are the same, unless a default differs', () => {
  const same = ['CREATE TABLE t(a TEXT DEFAULT "A")', 'create table "T" ( [A] text default A )']
  expect(new Set(same.map((sql) => plainStatement(sql))).size).toBe(1)
  expect(plainStatement('CREATE TABLE t(a TEXT DEFAULT "a")')).not.toBe(plainStatement(same[0] ?? ''))
})
