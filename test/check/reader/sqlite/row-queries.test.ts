/** Findings of both engines name their rows, and have a statement that lists exactly these rows. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import { engines } from '../../../../src/model/result/reading.ts'
import type { Engine } from '../../../../src/model/result/reading.ts'
import type { Diagnosis } from '../../../../src/model/result/verdict.ts'
import { create } from '../../../support/databases/create-database.ts'
import { bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'row-queries-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

interface Case {
  readonly name: string
  readonly sql: string
  /** An index that is removed from the schema while `behind` runs. */
  readonly index?: string
  readonly behind?: string
  /** Statements that the schema has afterwards, by name. */
  readonly later?: Readonly<Record<string, string>>
  /** By rule and object: the rows. */
  readonly rows: Readonly<Record<string, readonly unknown[]>>
}

function make({ sql, index, behind, later = {} }: Case): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => db.exec(sql))
  if (index !== undefined) changeBehind(index, behind ?? '')
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  for (const [name, statement] of Object.entries(later))
    db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(statement, name)
  db.close()
}

function changeBehind(index: string, behind: string): void {
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  const all = db.prepare('SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = ?').raw()
  const row = all.get(index) as string[]
  db.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index)
  const blind = new Database(path)
  blind.exec(behind)
  blind.close()
  db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)').run(...row)
  db.close()
}

const conclude = async (engine: Engine, depth: 'full' | 'quick' = 'full'): Promise<Diagnosis> =>
  diagnose(await readInProcess(path, depth, engine), bareFileContext)

/** The rows that the findings name, and the rows that their statements list in a fresh connection. */
function namedAndListed({ findings }: Diagnosis): readonly [named: unknown, listed: unknown] {
  const db = new Database(path, { readonly: true })
  const named: Record<string, unknown> = {}
  const listed: Record<string, unknown> = {}
  for (const { rule, object, rows, total, query } of findings) {
    const sorted = (keys: readonly unknown[]): unknown => keys.map((key) => JSON.stringify([key].flat())).toSorted()
    named[`${rule} ${object.name}`] = sorted(rows ?? [])
    expect(total, rule).toBe(rows?.length)
    expect(query, rule).not.toMatch(/\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    listed[`${rule} ${object.name}`] = sorted(
      db
        .prepare<[], unknown[]>(query ?? '')
        .raw()
        .all(),
    )
  }
  db.close()
  return [named, listed]
}

const expected = (rows: Case['rows']): unknown =>
  Object.fromEntries(
    Object.entries(rows).map(([place, keys]) => [place, keys.map((key) => JSON.stringify([key].flat())).toSorted()]),
  )

const odd = 'a "b\' [c] `d`\n-- e; f.g'
const quoted = `"${odd.replaceAll('"', '""')}"`
const table =
  'CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t ' +
  "VALUES(1,'x',1),(2,'y',2),(3,'z',3),(4,NULL,4),(9,'q',9);"
const keyed =
  'CREATE TABLE t(k TEXT, n INT, a, PRIMARY KEY(n DESC, k)) WITHOUT ROWID; ' +
  "INSERT INTO t VALUES('one',1,'x'),('two',2,'y'),('nine',9,'q');"
const change = "DELETE FROM t WHERE id = 9; UPDATE t SET a = 'new' WHERE id = 2; INSERT INTO t VALUES(20, 'm', 1)"
const differences = { 'entry-differs-from-row u': [2], 'entry-without-row u': [9], 'row-missing-from-index u': [20] }

const ofIndexes: readonly Case[] = [
  { name: 'a column', sql: `${table} CREATE INDEX u ON t(a)`, index: 'u', behind: change, rows: differences },
  {
    name: 'two columns, one of them descending and in any letter case',
    sql: `${table} CREATE INDEX u ON t(b DESC, a COLLATE nocase)`,
    index: 'u',
    behind: `${change}; UPDATE t SET a = 'X' WHERE id = 1`,
    rows: { ...differences, 'entry-differs-from-row u': [1, 2] },
  },
  {
    name: 'an expression, with a comment in the middle and a name in double quotes',
    sql: `${table} CREATE INDEX u ON t(lower(-- of whom\n"a" /* of it */) || b)`,
    index: 'u',
    behind: change,
    rows: differences,
  },
  {
    name: 'a condition with OR',
    sql: `${table} CREATE INDEX u ON t(a) WHERE b < 5 OR -- the ninth too\n b = 9`,
    index: 'u',
    behind: `${change}; UPDATE t SET b = 7 WHERE id = 1`,
    rows: { ...differences, 'entry-without-row u': [1, 9] },
  },
  {
    name: 'a table WITHOUT ROWID',
    sql: `${keyed} CREATE INDEX u ON t(a)`,
    index: 'u',
    behind: "DELETE FROM t WHERE n = 9; UPDATE t SET a = 'new' WHERE n = 2; INSERT INTO t VALUES('m', 20, 'm')",
    rows: {
      'entry-differs-from-row u': [[2, 'two']],
      'entry-without-row u': [[9, 'nine']],
      'row-missing-from-index u': [[20, 'm']],
    },
  },
  {
    name: 'names with quotes, blanks, brackets and a line break',
    sql:
      `CREATE TABLE ${quoted}(${quoted}, rowid, oid); CREATE INDEX "u ""v" ON ` +
      `${quoted}(${quoted}, rowid); INSERT INTO ${quoted} VALUES('x', 1, 1), ('y', 2, 2)`,
    index: 'u "v',
    behind: `INSERT INTO ${quoted} VALUES('z', 3, 3)`,
    rows: { 'row-missing-from-index u "v': [3] },
  },
  {
    name: 'a key that rows share, of a condition with OR',
    sql: `${table} CREATE UNIQUE INDEX u ON t(a, b) WHERE a = 'x' OR b > 3`,
    index: 'u',
    behind: "INSERT INTO t VALUES(30, 'q', 9.0), (31, 'y', 2)",
    rows: { 'unique-violated u': [9, 30], 'row-missing-from-index u': [30] },
  },
]

const ofContent: readonly Case[] = [
  {
    name: 'NULL in a generated column, and in the key of a table WITHOUT ROWID',
    sql:
      'CREATE TABLE g(a, b AS (nullif(a, 3))); INSERT INTO g(a) VALUES(1), (3); CREATE TABLE w(k ' +
      "PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES('x', NULL), ('y', 1)",
    later: {
      g: 'CREATE TABLE g(a, b AS (nullif(a, 3)) NOT NULL)',
      w: 'CREATE TABLE w(k PRIMARY KEY, v NOT NULL) WITHOUT ROWID',
    },
    rows: { 'null-in-not-null g': [2], 'null-in-not-null w': ['x'] },
  },
  {
    name: 'values of another type than a column declares',
    sql:
      `CREATE TABLE ${quoted}(id INTEGER PRIMARY KEY, ${quoted}, n); INSERT INTO ${quoted} VALUES(1, 'x', ` +
      `1), (2, 5, 'word'), (3, 'y', '12'), (4, 'z', ' 1e3 '), (5, NULL, x'31'), (6, 1.5, '')`,
    later: { [odd]: `CREATE TABLE ${quoted}(id INTEGER PRIMARY KEY, ${quoted} TEXT, n NUMERIC)` },
    rows: { [`type-mismatch ${odd}`]: [2, 3, 4, 6] },
  },
  {
    name: 'CHECK constraints of columns and of the table, with literals in double quotes',
    sql:
      `CREATE TABLE ${quoted}("check" INT, s, b); INSERT INTO ${quoted} VALUES(1, 'ok', ` +
      `1), (-1, 'ok', 1), (1, 'no', 1), (NULL, NULL, NULL), (1, 'ok', 99)`,
    later: {
      [odd]:
        `CREATE TABLE ${quoted}("check" INT CHECK("check" > 0 -- more than nothing\n), s ` +
        `CONSTRAINT [check] check (s = "ok" OR (s = '(')), b, CHECK (b < 50))`,
    },
    rows: { [`check-failed ${odd}`]: [2, 3, 5] },
  },
  {
    name: 'CHECK constraints of a table WITHOUT ROWID',
    sql:
      'CREATE TABLE w(k TEXT, n INT, v, PRIMARY KEY(k, n)) WITHOUT ' +
      "ROWID; INSERT INTO w VALUES('a', 1, 1), ('b', 2, -1)",
    later: { w: 'CREATE TABLE w(k TEXT, n INT, v CHECK(v > 0), PRIMARY KEY(k, n)) WITHOUT ROWID' },
    rows: { 'check-failed w': [['b', 2]] },
  },
  {
    name: 'rows without a parent, by rowid and by key, over several columns',
    sql: `PRAGMA foreign_keys=OFF; CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES(1), (5);
      CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p);
      INSERT INTO c VALUES(1, 1), (2, '5'), (3, 7), (4, NULL), (5, 'x');
      CREATE TABLE ${quoted}(a TEXT COLLATE nocase, b, UNIQUE(b, a));
      INSERT INTO ${quoted} VALUES('X', 1), ('y', NULL), (NULL, 3);
      CREATE TABLE w(k TEXT PRIMARY KEY, x, y INT, FOREIGN KEY(x, y) REFERENCES ${quoted}(a, b)) WITHOUT ROWID;
      INSERT INTO w VALUES('fits', 'x', 1), ('not', 'z', 1), ('null', 'z', NULL), ('other', 'y', 3);
      CREATE TABLE lost(a REFERENCES nowhere); INSERT INTO lost VALUES(NULL), (1);
      CREATE TABLE self(id INTEGER PRIMARY KEY, up REFERENCES self(id), p REFERENCES p);
      INSERT INTO self VALUES(1, 1, 1), (2, 9, 1), (3, 1, 9), (4, 9, 9)`,
    rows: {
      'foreign-key-violated c': [3, 5],
      'foreign-key-violated w': ['not', 'other'],
      'foreign-key-violated lost': [2],
      'foreign-key-violated self': [2, 3, 4],
    },
  },
]

describe.each(engines)('by %s', (engine) => {
  test.each([...ofIndexes, ...ofContent].map((one) => [one.name, one] as const))('%s', async (_, one) => {
    make(one)
    const [named, listed] = namedAndListed(await conclude(engine))
    expect(named).toEqual(expected(one.rows))
    expect(listed).toEqual(expected(one.rows))
  })
})

test.each(ofContent.slice(0, 4).map((one) => [one.name, one] as const))('by a quick check: %s', async (_, one) => {
  make(one)
  const [named, listed] = namedAndListed(await conclude('census', 'quick'))
  expect(named).toEqual(expected(one.rows))
  expect(listed).toEqual(expected(one.rows))
})

test('a parent that is missing only from an index leaves no orphan', async () => {
  make({
    name: '',
    sql: `PRAGMA foreign_keys=OFF; CREATE TABLE p(k TEXT); CREATE UNIQUE INDEX u ON p(k); INSERT INTO p VALUES('a');
      CREATE TABLE c(p REFERENCES p(k)); INSERT INTO c VALUES('a'), ('b')`,
    index: 'u',
    behind: "INSERT INTO p VALUES('b')",
    rows: {},
  })
  for (const engine of engines) {
    const { findings } = await conclude(engine)
    expect(
      findings.map(({ rule }) => rule),
      engine,
    ).not.toContain('foreign-key-violated')
  }
})
