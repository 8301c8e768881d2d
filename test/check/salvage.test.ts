/**
 * A table page that went stale (a lost write): the indexes are newer, and what they hold is salvage. Real files, real
 * pages.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import type { Diagnosis } from '../../src/model/result/verdict.ts'
import { create } from '../support/databases/create-database.ts'
import { Patient, recordBody } from '../support/databases/surgeon.ts'
import { context } from '../support/diagnosis.ts'
import { readInProcess } from '../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'salvage-'))
afterAll(() => rmSync(folder, { recursive: true }))
let path = ''
let made = 0
beforeEach(() => {
  path = join(folder, `${++made}.db`)
})

function make(schema: string, pragmas: readonly string[] = []): void {
  create(
    path,
    1024,
    (db) => {
      db.exec(schema)
      const put = db.prepare('INSERT INTO t VALUES(?, ?, ?, ?)')
      db.transaction(() => {
        for (let i = 1; i <= 300; i++) put.run(i, `mail${i}`, i * 10, `note ${i}`)
      })()
    },
    pragmas,
  )
}

const indexed =
  'CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT, score INT, note TEXT); CREATE ' +
  'INDEX t_mail ON t(mail, id); CREATE INDEX t_score ON t(score)'

function sql(statements: string): void {
  const db = new Database(path)
  db.exec(statements)
  db.close()
}

/** The leaf of `tree` that holds what `change` is about goes back to what it was before. */
function lose(tree: string, change: string): number {
  let leaf: number
  let before: Buffer
  {
    using patient = new Patient(path)
    leaf = patient.leaf(tree)
    before = patient.read(leaf)
  }
  sql(change)
  using patient = new Patient(path)
  expect(patient.read(leaf).equals(before), 'the change must have touched the page').toBe(false)
  patient.write(leaf, before)
  return leaf
}

/** A row on the leaf in the middle of the table, with another one before it. */
function rowOnLeaf(): number {
  using patient = new Patient(path)
  const leaf = patient.leaf('t')
  const text = patient.read(leaf).toString('latin1', recordBody(patient, leaf, 1))
  return Number(/note (\d+)/.exec(text)?.[1])
}

async function concluded(showValues = false): Promise<Diagnosis> {
  const copy = `${path}-copy`
  copyFileSync(path, copy)
  return diagnose(await readInProcess(copy, 'full', 'census', false, null, showValues), context)
}
const salvageOf = ({ findings }: Diagnosis): readonly (readonly [string, string, unknown])[] =>
  findings
    .filter(({ salvage }) => salvage !== undefined)
    .map(({ rule, object, salvage }) => [rule, object.name, salvage])
const noValue = (diagnosis: Diagnosis, ...values: string[]): void => {
  for (const value of values) expect(JSON.stringify(diagnosis)).not.toContain(value)
}

describe('a table page that missed an UPDATE', () => {
  test('two indexes know it: the table is suspect, and their values are salvage, told only when asked', async () => {
    make(indexed)
    const row = rowOnLeaf()
    lose('t', `UPDATE t SET mail = 'new@x', score = 77777 WHERE id IN (${row}, ${row - 1})`)
    const quiet = await concluded()
    expect([quiet.damage, quiet.remedy.do, quiet.causes.map(({ hint }) => hint)]).toEqual([
      'table',
      'ask',
      ['lost-table-write'],
    ])
    expect(salvageOf(quiet)).toEqual([
      ['entry-differs-from-row', 't_mail', { columns: ['mail'], total: 2 }],
      ['entry-differs-from-row', 't_score', { columns: ['score'], total: 2 }],
    ])
    expect(quiet.findings.map(({ agreeing }) => agreeing)).toEqual([['t_score'], ['t_mail']])
    expect(quiet.findings[0]?.text).toBe(
      '2 entries of index t_mail differ from the row in t; if the table is ' +
        'wrong instead: the index still holds mail of 2 rows',
    )
    noValue(quiet, 'new@x', '77777')
    expect(salvageOf(await concluded(true)).map(([, , salvage]) => salvage)).toEqual([
      {
        columns: ['mail'],
        total: 2,
        rows: [
          { key: row - 1, values: ['new@x'] },
          { key: row, values: ['new@x'] },
        ],
      },
      {
        columns: ['score'],
        total: 2,
        rows: [
          { key: row - 1, values: [77777] },
          { key: row, values: [77777] },
        ],
      },
    ])
  })

  test('each of three indexes names the two others', async () => {
    make(`${indexed}; CREATE INDEX t_note ON t(note)`)
    const row = rowOnLeaf()
    lose('t', `UPDATE t SET mail = 'new@x', score = 77777, note = 'new' WHERE id = ${row}`)
    const { findings, damage } = await concluded()
    expect([damage, findings.map(({ object, agreeing }) => [object.name, agreeing])]).toEqual([
      'table',
      [
        ['t_mail', ['t_note', 't_score']],
        ['t_note', ['t_mail', 't_score']],
        ['t_score', ['t_mail', 't_note']],
      ],
    ])
  })

  test('a single index knows it: nothing breaks the tie, and what a rebuild would drop is named', async () => {
    make('CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT, score INT, note TEXT); CREATE INDEX t_mail ON t(mail)')
    const row = rowOnLeaf()
    lose('t', `UPDATE t SET mail = 'new@x' WHERE id = ${row}`)
    const result = await concluded(true)
    expect([result.damage, result.remedy.do, result.causes.map(({ hint }) => hint)]).toEqual([
      'index',
      'rebuild',
      ['index-or-table'],
    ])
    expect(salvageOf(result)).toEqual([
      ['entry-differs-from-row', 't_mail', { columns: ['mail'], total: 1, rows: [{ key: row, values: ['new@x'] }] }],
    ])
  })

  test(
    'the rows that two indexes agree on lie behind the twenty that a ' +
      'finding names: the table is suspect all the same',
    async () => {
      make(indexed)
      // An index page that lost many entries of its own, beside a table page that lost one update.
      const row = rowOnLeaf()
      lose('t', `UPDATE t SET mail = 'new@x', score = 77777 WHERE id = ${row}`)
      const db = new Database(path)
      db.unsafeMode(true)
      db.pragma('writable_schema=ON')
      const known = db.prepare("SELECT * FROM sqlite_schema WHERE name = 't_score'").raw().get() as unknown[]
      db.exec("DELETE FROM sqlite_schema WHERE name = 't_score'")
      db.close()
      sql(`UPDATE t SET score = score + 1 WHERE id < ${row} AND id <= 30`)
      const again = new Database(path)
      again.unsafeMode(true)
      again.pragma('writable_schema=ON')
      again.prepare('INSERT INTO sqlite_schema VALUES(?, ?, ?, ?, ?)').run(...known)
      again.close()
      const result = await concluded()
      const score = result.findings.find(({ object }) => object.name === 't_score') as Finding
      expect([score.total, score.rows?.length, score.rows?.includes(row), score.agreeing]).toEqual([
        31,
        20,
        false,
        ['t_mail'],
      ])
      expect([result.damage, result.causes.map(({ hint }) => hint)]).toEqual(['table', ['lost-table-write']])
    },
  )
})

test('a table page that missed INSERTs: the rows that are gone, from both indexes', async () => {
  make(indexed)
  const db = new Database(path)
  const last = Number(db.prepare('SELECT max(id) FROM t').pluck().get())
  db.close()
  let leaf: number
  let before: Buffer
  {
    using patient = new Patient(path)
    leaf = patient.pages('t').at(-1) ?? 0
    before = patient.read(leaf)
  }
  sql(`INSERT INTO t VALUES(${last + 1}, 'late@x', NULL, 'x'), (${last + 2}, 'later@x', 9007199254740993, 'y')`)
  {
    using patient = new Patient(path)
    expect(patient.pages('t').at(-1)).toBe(leaf)
    patient.write(leaf, before)
  }
  const result = await concluded(true)
  expect([result.damage, result.causes.map(({ hint }) => hint)]).toEqual(['table', ['lost-table-write']])
  expect(salvageOf(result)).toEqual([
    [
      'entry-without-row',
      't_mail',
      {
        columns: ['mail'],
        total: 2,
        rows: [
          { key: last + 1, values: ['late@x'] },
          { key: last + 2, values: ['later@x'] },
        ],
      },
    ],
    [
      'entry-without-row',
      't_score',
      {
        columns: ['score'],
        total: 2,
        rows: [
          { key: last + 1, values: [null] },
          { key: last + 2, values: [{ integer: '9007199254740993' }] },
        ],
      },
    ],
  ])
})

test('rows that a DELETE took and a stale page brought back are the table\u2019s own: there is nothing to salvage', async () => {
  make(indexed)
  lose('t', `DELETE FROM t WHERE id = ${rowOnLeaf()}`)
  const result = await concluded(true)
  expect([result.damage, result.findings.map(({ rule }) => rule), salvageOf(result)]).toEqual([
    'table',
    ['row-missing-from-index', 'row-missing-from-index'],
    [],
  ])
})

test('an index page that went stale: the other index agrees with the table, so its old entries are no salvage', async () => {
  make(indexed)
  let leaf: number
  let before: Buffer
  {
    using patient = new Patient(path)
    leaf = patient.leaf('t_score')
    before = patient.read(leaf)
  }
  const db = new Database(path)
  // A row whose old entry lies on that leaf, and whose new one does not.
  const scores = Array.from({ length: 300 }, (_, i) => (i + 1) * 10).filter((score) =>
    before.includes(Buffer.from([score >> 8, score & 0xff])),
  )
  db.prepare('UPDATE t SET note = ?, score = 99999 WHERE score = ?').run(
    'changed',
    scores[Math.floor(scores.length / 2)],
  )
  db.close()
  {
    using patient = new Patient(path)
    patient.write(leaf, before)
  }
  const result = await concluded(true)
  expect([result.damage, result.remedy.do, result.remedy.indexes]).toEqual(['index', 'rebuild', ['t_score']])
  expect(result.findings.some(({ rule }) => rule === 'entry-without-row' || rule === 'entry-differs-from-row')).toBe(
    true,
  )
  expect(salvageOf(result)).toEqual([])
})

test('a table page that holds zeros: what the index holds of its rows is salvage', async () => {
  make('CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT, score INT, note TEXT); CREATE INDEX t_mail ON t(mail, score)')
  {
    using patient = new Patient(path)
    patient.write(patient.leaf('t'), Buffer.alloc(1024))
  }
  const result = await concluded(true)
  expect(result.damage).toBe('table')
  const [[rule, name, salvage] = []] = salvageOf(result)
  const { columns, total, rows } = salvage as {
    columns: string[]
    total: number
    rows: { key: number; values: unknown[] }[]
  }
  expect([rule, name, columns, rows.length === total]).toEqual(['entry-without-row', 't_mail', ['mail', 'score'], true])
  for (const { key, values } of rows) expect(values).toEqual([`mail${key}`, key * 10])
})

test('a table WITHOUT ROWID: its rows by their keys, and only columns that are no part of them', async () => {
  make(
    'CREATE TABLE t(id INTEGER, mail TEXT, score INT, note TEXT, PRIMARY KEY(mail, id)) WITHOUT ' +
      'ROWID; CREATE INDEX t_score ON t(score, mail); CREATE INDEX t_note ON t(note)',
  )
  const id = rowOnLeaf()
  lose('t', `UPDATE t SET score = 77777, note = 'newer ${id}' WHERE id = ${id}`)
  const result = await concluded(true)
  expect([result.damage, result.causes.map(({ hint }) => hint)]).toEqual(['table', ['lost-table-write']])
  expect(salvageOf(result)).toEqual([
    [
      'entry-differs-from-row',
      't_note',
      { columns: ['note'], total: 1, rows: [{ key: [`mail${id}`, id], values: [`newer ${id}`] }] },
    ],
    [
      'entry-differs-from-row',
      't_score',
      { columns: ['score'], total: 1, rows: [{ key: [`mail${id}`, id], values: [77777] }] },
    ],
  ])
})

test.each(['UTF-8', 'UTF-16le', 'UTF-16be'])('values of every kind, whole, in %s', async (encoding) => {
  create(
    path,
    1024,
    (db) =>
      db.exec(
        'CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX t_v ON t(v); CREATE ' +
          'INDEX t_half ON t(lower(v), v); INSERT INTO t VALUES(1, 0)',
      ),
    [`encoding="${encoding}"`],
  )
  const long = 'long '.repeat(2000)
  lose(
    't',
    'INSERT INTO t VALUES(2, NULL), (3, -7), (4, 9007199254740993), (5, 0.5), (6, 9e999), (7, -9e999), (8, ' +
      `'é\u{1f600}'), (9, x'00ff'), (10, '${long}'), (11, CAST(x'80d8' AS TEXT)), (12, 3.0)`,
  )
  const result = await concluded(true)
  const salvage = result.findings.find(({ object }) => object.name === 't_v')?.salvage
  const values = Object.fromEntries(
    (salvage?.rows ?? []).map(({ key, values: [value] }) => [JSON.stringify(key), value]),
  )
  expect(values).toMatchObject({
    2: null,
    3: -7,
    4: { integer: '9007199254740993' },
    5: 0.5,
    6: { real: 'Infinity' },
    7: { real: '-Infinity' },
    8: 'é\u{1f600}',
    9: { blob: '00ff' },
    10: long,
    12: 3,
  })
  if (encoding !== 'UTF-16be') expect(values[11]).toEqual({ blob: '80d8' })
  expect(result.findings.find(({ object }) => object.name === 't_half')?.salvage?.columns).toEqual(['(computed)', 'v'])
})
