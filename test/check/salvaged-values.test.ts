/** What salvage holds: rows by their keys, and values of every kind. */
import { expect, test } from 'vitest'
import { salvageOf, useStaleFile } from '../support/check/stale-file.ts'
import { create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'

const file = useStaleFile()

test('a table page that holds zeros: what the index holds of its rows is salvage', async () => {
  file.make(
    'CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT, score INT, note TEXT); CREATE INDEX t_mail ON t(mail, score)',
  )
  {
    using database = new EditableDatabase(file.path)
    database.write(database.leaf('t'), Buffer.alloc(1024))
  }
  const result = await file.conclude(true)
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
  file.make(
    'CREATE TABLE t(id INTEGER, mail TEXT, score INT, note TEXT, PRIMARY KEY(mail, id)) WITHOUT ' +
      'ROWID; CREATE INDEX t_score ON t(score, mail); CREATE INDEX t_note ON t(note)',
  )
  const id = file.rowOnLeaf()
  file.loseWrite('t', `UPDATE t SET score = 77777, note = 'newer ${id}' WHERE id = ${id}`)
  const result = await file.conclude(true)
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

test.each(['UTF-8', 'UTF-16le', 'UTF-16be'])('values of every kind, complete, in %s', async (encoding) => {
  create(
    file.path,
    1024,
    (db) =>
      db.exec(
        'CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX t_v ON t(v); CREATE ' +
          'INDEX t_half ON t(lower(v), v); INSERT INTO t VALUES(1, 0)',
      ),
    [`encoding="${encoding}"`],
  )
  const long = 'long '.repeat(2000)
  file.loseWrite(
    't',
    'INSERT INTO t VALUES(2, NULL), (3, -7), (4, 9007199254740993), (5, 0.5), (6, 9e999), (7, -9e999), (8, ' +
      `'é\u{1f600}'), (9, x'00ff'), (10, '${long}'), (11, CAST(x'80d8' AS TEXT)), (12, 3.0)`,
  )
  const result = await file.conclude(true)
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
