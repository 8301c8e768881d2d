/** Unique keys: the rows show whether a key is there twice, not the index. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { findSharedKeys } from '../../../../src/census/differences/shared-keys.ts'
import type { IndexPlan } from '../../../../src/census/plan.ts'
import { diagnose } from '../../../../src/diagnosis/diagnose.ts'
import type { Engine } from '../../../../src/model/result/reading.ts'
import type { Diagnosis } from '../../../../src/model/result/verdict.ts'
import { create } from '../../../support/databases/create-database.ts'
import { bareFileContext } from '../../../support/differential/engines.ts'
import { readInProcess } from '../../../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'unique-keys-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

interface Case {
  readonly name: string
  /** The table, with its rows. */
  readonly table: string
  /** The unique index u, by its columns and condition. */
  readonly on: string
  /** Changes the rows while the index is removed from the schema. */
  readonly behind: string
  readonly encoding?: string
}

/** The diagnosis of a database whose index has missed a change. */
async function conclude({ table, on, behind, encoding }: Case, engine: Engine = 'census'): Promise<Diagnosis> {
  rmSync(path, { force: true })
  create(path, 1024, (db) => {
    if (encoding !== undefined) db.pragma(`encoding = "${encoding}"`)
    db.exec(table)
    db.exec(`CREATE INDEX u ON ${on}`)
  })
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  const row = db
    .prepare("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 'u'")
    .raw()
    .get() as string[]
  db.exec("DELETE FROM sqlite_schema WHERE name = 'u'")
  db.pragma('writable_schema=RESET')
  const blind = new Database(path)
  blind.exec(behind)
  blind.close()
  db.pragma('writable_schema=ON')
  row[4] = (row[4] ?? '').replace('CREATE INDEX', 'CREATE UNIQUE INDEX')
  db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)').run(...row)
  db.close()
  return diagnose(await readInProcess(path, 'full', engine), bareFileContext)
}

const rowsOf = ({ findings }: Diagnosis): Readonly<Record<string, unknown>> =>
  Object.fromEntries(findings.map(({ rule, rows, total }) => [rule, [rows, total]]))

const rows =
  "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES(1, 'x', " +
  "1), (2, 'y', 2), (3, 'z', 3), (4, NULL, 4), (5, NULL, 4);"
const keyed =
  'CREATE TABLE t(k TEXT PRIMARY KEY, a, b) WITHOUT ROWID; INSERT INTO t ' +
  "VALUES('one', 'x', 1), ('two', 'y', 2), ('three', 'z', 3);"

/** The index has a key twice that only one row has: a rebuild repairs it. */
const onlyInIndex: readonly Case[] = [
  {
    name: 'an entry of a row that is gone',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 9)`,
    on: 't(a)',
    behind: 'DELETE FROM t WHERE id = 9',
  },
  {
    name: 'an entry of a row that has another key now',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 9)`,
    on: 't(a)',
    behind: "UPDATE t SET a = 'new' WHERE id = 9",
  },
  {
    name: 'NULLs in the rows are all distinct',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 9)`,
    on: 't(a)',
    behind: 'UPDATE t SET a = NULL WHERE id = 9',
  },
  {
    name: 'in another letter case',
    table: `${rows} INSERT INTO t VALUES(9, 'X', 9)`,
    on: 't(a COLLATE nocase)',
    behind: 'DELETE FROM t WHERE id = 9',
  },
  {
    name: 'of two columns',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 1.0)`,
    on: 't(a, b)',
    behind: 'DELETE FROM t WHERE id = 9',
  },
  {
    name: 'of an expression',
    table: `${rows} INSERT INTO t VALUES(9, 'X', 1)`,
    on: 't(lower(a))',
    behind: 'DELETE FROM t WHERE id = 9',
  },
  {
    name: 'that a condition leaves out now',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 1)`,
    on: 't(a) WHERE b < 9',
    behind: 'UPDATE t SET b = 9 WHERE id = 9',
  },
  {
    name: 'of a table WITHOUT ROWID',
    table: `${keyed} INSERT INTO t VALUES('gone', 'x', 9)`,
    on: 't(a)',
    behind: "DELETE FROM t WHERE k = 'gone'",
  },
]

describe.each(onlyInIndex)('a key that only the index has twice: $name', (one) => {
  test('index damage, and a rebuild is offered', async () => {
    const diagnosis = await conclude(one)
    expect(diagnosis).toMatchObject({ damage: 'index', remedy: { do: 'rebuild', indexes: ['u'] } })
    expect(diagnosis.findings.map(({ rule }) => rule)).not.toContain('unique-violated')
  })

  test('the referee says the same', async () => {
    const diagnosis = await conclude(one, 'sqlite')
    expect(diagnosis).toMatchObject({ damage: 'index', remedy: { do: 'rebuild', indexes: ['u'] } })
    expect(diagnosis.findings.map(({ rule }) => rule)).not.toContain('unique-violated')
    expect(diagnosis.findings.flatMap(({ rows }) => rows ?? [])).not.toEqual([])
  })
})

/** Rows share a key, whether the index has both or not: a rebuild would fail. */
const shared: readonly (Case & { readonly sharing: readonly unknown[] })[] = [
  {
    name: 'the index has them all',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 9), (10, 'x', 9)`,
    on: 't(a)',
    behind: '',
    sharing: [1, 9, 10],
  },
  {
    name: 'the index has but one of them',
    table: rows,
    on: 't(a)',
    behind: "INSERT INTO t VALUES(9, 'x', 9)",
    sharing: [1, 9],
  },
  {
    name: 'the index has none of them',
    table: rows,
    on: 't(a)',
    behind: "INSERT INTO t VALUES(9, 'new', 9), (10, 'new', 9)",
    sharing: [9, 10],
  },
  {
    name: 'beside a ghost of the same key',
    table: `${rows} INSERT INTO t VALUES(9, 'x', 9), (10, 'x', 9)`,
    on: 't(a)',
    behind: 'DELETE FROM t WHERE id = 9',
    sharing: [1, 10],
  },
  {
    name: 'in other letter cases',
    table: rows,
    on: 't(a COLLATE nocase)',
    behind: "INSERT INTO t VALUES(9, 'X', 9)",
    sharing: [1, 9],
  },
  {
    name: 'in other letter cases of UTF-16',
    table: rows,
    on: 't(a COLLATE nocase)',
    behind: "INSERT INTO t VALUES(9, 'X', 9)",
    sharing: [1, 9],
    encoding: 'UTF-16le',
  },
  {
    name: 'but for blanks at the end',
    table: rows,
    on: 't(a COLLATE rtrim)',
    behind: "INSERT INTO t VALUES(9, 'x   ', 9)",
    sharing: [1, 9],
  },
  {
    name: 'an integer and the same as a real',
    table: rows,
    on: 't(b)',
    behind: "INSERT INTO t VALUES(9, 'q', 2.0); DELETE FROM t WHERE id IN (4, 5)",
    sharing: [2, 9],
  },
  {
    name: 'of an expression',
    table: rows,
    on: "t(a || '!')",
    behind: "INSERT INTO t VALUES(9, 'z', 9)",
    sharing: [3, 9],
  },
  {
    name: 'of a condition',
    table: rows,
    on: 't(a) WHERE b < 5',
    behind: "INSERT INTO t VALUES(9, 'z', 3), (10, 'z', 7)",
    sharing: [3, 9],
  },
  {
    name: 'of a table WITHOUT ROWID',
    table: keyed,
    on: 't(a)',
    behind: "INSERT INTO t VALUES('four', 'x', 1)",
    sharing: [['four'], ['one']],
  },
]

describe.each(shared)('rows that share a key: $name', (one) => {
  test('all of them are named, and a person decides', async () => {
    const diagnosis = await conclude(one)
    expect(diagnosis).toMatchObject({ damage: 'table', remedy: { do: 'ask' } })
    expect(rowsOf(diagnosis)['unique-violated']).toEqual([one.sharing, one.sharing.length])
    // The statement of the finding lists these rows.
    const db = new Database(path, { readonly: true })
    const query = diagnosis.findings.find(({ rule }) => rule === 'unique-violated')?.query ?? ''
    const listed = db.prepare<[], unknown[]>(query).raw().all()
    expect(listed.map((row) => JSON.stringify(row)).toSorted()).toEqual(
      one.sharing.map((row) => JSON.stringify([row].flat())).toSorted(),
    )
    db.close()
  })
})

test('NULLs are no key, and keys that their collation does not make equal are different', async () => {
  expect(
    await conclude({
      name: '',
      table: `${rows} INSERT INTO t VALUES(6, 'X', 6), (7, 'x ', 7), (8, x'78', 8)`,
      on: 't(a)',
      behind: '',
    }),
  ).toMatchObject({ verdict: { kind: 'sound' } })
})

test('the same rows are named in several parts', () => {
  const index: IndexPlan = {
    kind: 'index',
    root: 3,
    object: { kind: 'index', name: 'u', table: 't' },
    entries: 'plain',
    table: 1,
    uniqueParts: 1,
    identity: [1],
    ordered: true,
    parts: [
      { source: 0, collation: 'BINARY', descending: false },
      { source: -1, collation: 'BINARY', descending: false },
    ],
  }
  const entries = () =>
    Array.from(
      { length: 5000 },
      (_, i) =>
        [
          { kind: 'integer', value: BigInt(i % 2500 === 7 ? 7 : i) },
          { kind: 'integer', value: BigInt(i) },
        ] as const,
    )
  for (const each of [5000, 700, 250])
    expect(findSharedKeys(index, true, 1, 5000, entries, [1, 2], each)).toEqual({
      rows: [7, 2507],
      total: 2,
      keys: 1,
      exact: true,
    })
  expect(findSharedKeys(index, true, 1, 5000, entries, [1, 2], 10), 'too many shares').toBeNull()
})
