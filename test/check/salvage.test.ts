/** A table page that went stale (a lost write): the indexes are newer, and what they hold is salvage. */
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/model/result/finding.ts'
import type { Diagnosis } from '../../src/model/result/verdict.ts'
import { salvageOf, useStaleFile } from '../support/check/stale-file.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'

const file = useStaleFile()

const indexed =
  'CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT, score INT, note TEXT); CREATE ' +
  'INDEX t_mail ON t(mail, id); CREATE INDEX t_score ON t(score)'

const noValue = (diagnosis: Diagnosis, ...values: string[]): void => {
  for (const value of values) expect(JSON.stringify(diagnosis)).not.toContain(value)
}

describe('a table page that missed an UPDATE', () => {
  test('two indexes have it: the table is suspect, and their values are salvage, shown only on request', async () => {
    file.make(indexed)
    const row = file.rowOnLeaf()
    file.loseWrite('t', `UPDATE t SET mail = 'new@x', score = 77777 WHERE id IN (${row}, ${row - 1})`)
    const quiet = await file.conclude()
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
    expect(salvageOf(await file.conclude(true)).map(([, , salvage]) => salvage)).toEqual([
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
    file.make(`${indexed}; CREATE INDEX t_note ON t(note)`)
    const row = file.rowOnLeaf()
    file.loseWrite('t', `UPDATE t SET mail = 'new@x', score = 77777, note = 'new' WHERE id = ${row}`)
    const { findings, damage } = await file.conclude()
    expect([damage, findings.map(({ object, agreeing }) => [object.name, agreeing])]).toEqual([
      'table',
      [
        ['t_mail', ['t_note', 't_score']],
        ['t_note', ['t_mail', 't_score']],
        ['t_score', ['t_mail', 't_note']],
      ],
    ])
  })

  test('a single index has it: nothing decides who is right, and what a rebuild would drop is named', async () => {
    file.make('CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT, score INT, note TEXT); CREATE INDEX t_mail ON t(mail)')
    const row = file.rowOnLeaf()
    file.loseWrite('t', `UPDATE t SET mail = 'new@x' WHERE id = ${row}`)
    const result = await file.conclude(true)
    expect([result.damage, result.remedy.do, result.causes.map(({ hint }) => hint)]).toEqual([
      'index',
      'rebuild',
      ['index-or-table'],
    ])
    expect(salvageOf(result)).toEqual([
      ['entry-differs-from-row', 't_mail', { columns: ['mail'], total: 1, rows: [{ key: row, values: ['new@x'] }] }],
    ])
  })

  test('two indexes agree on rows behind the twenty that a finding names: the table is still suspect', async () => {
    file.make(indexed)
    // An index page that lost many entries of its own, beside a table page that lost one update.
    const row = file.rowOnLeaf()
    file.loseWrite('t', `UPDATE t SET mail = 'new@x', score = 77777 WHERE id = ${row}`)
    const db = new Database(file.path)
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    const known = db.prepare("SELECT * FROM sqlite_schema WHERE name = 't_score'").raw().get() as unknown[]
    db.exec("DELETE FROM sqlite_schema WHERE name = 't_score'")
    db.close()
    file.sql(`UPDATE t SET score = score + 1 WHERE id < ${row} AND id <= 30`)
    const again = new Database(file.path)
    again.unsafeMode(true)
    again.pragma('writable_schema=ON')
    again.prepare('INSERT INTO sqlite_schema VALUES(?, ?, ?, ?, ?)').run(...known)
    again.close()
    const result = await file.conclude()
    const score = result.findings.find(({ object }) => object.name === 't_score') as Finding
    expect([score.total, score.rows?.length, score.rows?.includes(row), score.agreeing]).toEqual([
      31,
      20,
      false,
      ['t_mail'],
    ])
    expect([result.damage, result.causes.map(({ hint }) => hint)]).toEqual(['table', ['lost-table-write']])
  })
})

test('a table page that missed INSERTs: the rows that are gone, from both indexes', async () => {
  file.make(indexed)
  const db = new Database(file.path)
  const last = Number(db.prepare('SELECT max(id) FROM t').pluck().get())
  db.close()
  let leaf: number
  let before: Buffer
  {
    using database = new EditableDatabase(file.path)
    leaf = database.pages('t').at(-1) ?? 0
    before = database.read(leaf)
  }
  file.sql(`INSERT INTO t VALUES(${last + 1}, 'late@x', NULL, 'x'), (${last + 2}, 'later@x', 9007199254740993, 'y')`)
  {
    using database = new EditableDatabase(file.path)
    expect(database.pages('t').at(-1)).toBe(leaf)
    database.write(leaf, before)
  }
  const result = await file.conclude(true)
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

test('rows that a DELETE removed and a stale page brought back: there is nothing to salvage', async () => {
  file.make(indexed)
  file.loseWrite('t', `DELETE FROM t WHERE id = ${file.rowOnLeaf()}`)
  const result = await file.conclude(true)
  expect([result.damage, result.findings.map(({ rule }) => rule), salvageOf(result)]).toEqual([
    'table',
    ['row-missing-from-index', 'row-missing-from-index'],
    [],
  ])
})

test('a stale index page: the other index agrees with the table, so the old entries are no salvage', async () => {
  file.make(indexed)
  let leaf: number
  let before: Buffer
  {
    using database = new EditableDatabase(file.path)
    leaf = database.leaf('t_score')
    before = database.read(leaf)
  }
  const db = new Database(file.path)
  // A row whose old entry is on that leaf, and whose new entry is not.
  const scores = Array.from({ length: 300 }, (_, i) => (i + 1) * 10).filter((score) =>
    before.includes(Buffer.from([score >> 8, score & 0xff])),
  )
  db.prepare('UPDATE t SET note = ?, score = 99999 WHERE score = ?').run(
    'changed',
    scores[Math.floor(scores.length / 2)],
  )
  db.close()
  {
    using database = new EditableDatabase(file.path)
    database.write(leaf, before)
  }
  const result = await file.conclude(true)
  expect([result.damage, result.remedy.do, result.remedy.indexes]).toEqual(['index', 'rebuild', ['t_score']])
  expect(result.findings.some(({ rule }) => rule === 'entry-without-row' || rule === 'entry-differs-from-row')).toBe(
    true,
  )
  expect(salvageOf(result)).toEqual([])
})
