/** Two files by content (I3.2): the exact rows that differ. */
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RowDifferences } from '../../../src/model/result/comparison.ts'
import {
  answersOf,
  fill,
  keysOf,
  tableOf,
  totalsOf,
  useComparedDatabases,
} from '../../support/check/compared-databases.ts'
import { compareInProcess } from '../../support/compare-in-process.ts'

const { changed, make } = useComparedDatabases()

describe('rows that differ are named exactly', () => {
  test('INTEGER PRIMARY KEY: changed, missing and added rows, by rowid', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(
        a,
        "UPDATE named SET w = 'x' WHERE id IN (10, 20); DELETE FROM named WHERE id = 600; " +
          "INSERT INTO named VALUES(9223372036854775807, 1, 'y'), (-5, 1, 'z')",
      ),
    )
    expect(answersOf(comparison)).toEqual({ named: 'differs', loose: 'equal', keyed: 'equal' })
    const named = tableOf(comparison, 'named')
    expect([named.rowsToldBy, totalsOf(named.differing), keysOf(named.differing), named.rows]).toEqual([
      'rowid',
      [5, 1, 2, 2],
      [[600], [-5, '9223372036854775807'], [10, 20]],
      { a: 300, b: 301 },
    ])
    expect(named.digest.a).not.toBe(named.digest.b)
  })

  test('a rowid that changed is content if it is the key, and not otherwise', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(a, 'UPDATE named SET id = id + 1 WHERE id = 2; UPDATE loose SET rowid = rowid + 1000'),
    )
    expect(keysOf(tableOf(comparison, 'named').differing)).toEqual([[2], [3], []])
    expect(answersOf(comparison)).toMatchObject({ loose: 'equal' })
  })

  test('a table without a key: what only one side has, by the rowids of that side', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(
        a,
        "DELETE FROM loose WHERE rowid = 1; VACUUM; UPDATE loose SET w = 'x' WHERE rowid = 10; " +
          'INSERT INTO loose(rowid, v, w) SELECT 5000, v, w FROM loose WHERE rowid = 100',
      ),
    )
    const loose = tableOf(comparison, 'loose')
    // Row 1 is gone, one row has other values, and one row was added that is equal to another.
    expect([loose.comparison, loose.rowsToldBy, totalsOf(loose.differing)]).toEqual([
      'differs',
      'content',
      [4, 2, 2, 0],
    ])
    expect(loose.rows).toEqual({ a: 300, b: 300 })
    expect(loose.differing?.onlyInB.keys).toContain(5000)
  })

  test('WITHOUT ROWID: by the columns of the key', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(
        a,
        "UPDATE keyed SET c = 0 WHERE b = 9; DELETE FROM keyed WHERE b = 10; INSERT INTO keyed VALUES('new', 1, x'00')",
      ),
    )
    const keyed = tableOf(comparison, 'keyed')
    expect([keyed.rowsToldBy, keysOf(keyed.differing)]).toEqual([
      'primary-key',
      [[['a1', 10]], [['new', 1]], [['a0', 9]]],
    ])
  })

  test('of many rows the number is exact and the first 20 are named, in several passes too', async () => {
    const a = make((db) => {
      db.exec(
        'CREATE TABLE n(id INTEGER PRIMARY KEY, v); CREATE TABLE k(t TEXT ' +
          'PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE l(v, w)',
      )
      const put = ['n', 'k', 'l'].map((name) => db.prepare(`INSERT INTO ${name} VALUES(?,?)`))
      db.transaction(() => {
        for (let i = 0; i < 5000; i++) {
          put[0]?.run(i, i)
          put[1]?.run(String(i).padStart(6, '0'), i)
          put[2]?.run(i % 2500, 'x')
        }
      })()
    })
    const b = changed(
      a,
      'UPDATE n SET v = v + 0.5; DELETE FROM n WHERE id >= 4900; UPDATE k SET v ' +
        '= -v WHERE v % 2; UPDATE l SET w = NULL WHERE v < 700',
    )
    for (const rowsEachPass of [250_000, 700]) {
      const comparison = await compareInProcess(a, b, { rowsEachPass })
      const [n, k, l] = ['n', 'k', 'l'].map((name) => tableOf(comparison, name).differing) as [
        RowDifferences,
        RowDifferences,
        RowDifferences,
      ]
      expect([totalsOf(n), totalsOf(k), totalsOf(l)]).toEqual([
        [5000, 100, 0, 4900],
        [2500, 0, 0, 2500],
        [2800, 1400, 1400, 0],
      ])
      expect([n.exact, k.exact, l.exact]).toEqual([true, true, true])
      expect(n.different.keys).toEqual(Array.from({ length: 20 }, (_, i) => i))
      expect(n.onlyInA.keys).toEqual(Array.from({ length: 20 }, (_, i) => 4900 + i))
      expect(k.different.keys).toEqual(Array.from({ length: 20 }, (_, i) => [String(2 * i + 1).padStart(6, '0')]))
      expect(l.onlyInA.keys).toHaveLength(20)
    }
  })

  test('more equal rows than a pass may hold: the number is a minimum or missing, and no row is wrong', async () => {
    const a = make((db) => {
      db.exec('CREATE TABLE l(v); CREATE TABLE m(v)')
      db.transaction(() => {
        for (let i = 0; i < 3000; i++) db.exec('INSERT INTO l VALUES(NULL); INSERT INTO m VALUES(NULL)')
      })()
    })
    const comparison = await compareInProcess(
      a,
      changed(a, "DELETE FROM l WHERE rowid = 7; INSERT INTO m VALUES('one'), (NULL)"),
      { rowsEachPass: 1000 },
    )
    expect(tableOf(comparison, 'l')).toMatchObject({
      comparison: 'differs',
      differing: null,
      why: expect.stringMatching(/too many equal rows/) as string,
    })
    expect(tableOf(comparison, 'm')).toMatchObject({
      comparison: 'differs',
      differing: { rows: 1, exact: false, onlyInB: { total: 1, keys: [3001] } },
    })
  })

  test('after random changes the answer is that of a comparison in SQL', async () => {
    const a = make(fill)
    const cells = fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 320 }), edit: fc.constantFrom('delete', 'change', 'put') }),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(cells, async (edits) => {
        const b = changed(
          a,
          edits
            .map(
              ({ id, edit }) =>
                ({
                  delete: `DELETE FROM named WHERE id = ${id}`,
                  change: `UPDATE named SET v = v + 1 WHERE id = ${id}`,
                  put: `INSERT OR IGNORE INTO named VALUES(${id}, 'put', NULL)`,
                })[edit],
            )
            .join(';'),
        )
        const db = new Database(a, { readonly: true })
        db.exec(`ATTACH '${b}' AS b`)
        const ids = (sql: string): number[] => db.prepare<[], number>(`${sql} ORDER BY 1`).pluck().all()
        const expected = [
          ids('SELECT id FROM main.named WHERE id NOT IN (SELECT id FROM b.named)'),
          ids('SELECT id FROM b.named WHERE id NOT IN (SELECT id FROM main.named)'),
          ids('SELECT x.id FROM main.named x JOIN b.named y USING(id) WHERE (x.v, x.w) IS NOT (y.v, y.w)'),
        ]
        db.close()
        const { comparison, differing } = tableOf(await compareInProcess(a, b, { rowsEachPass: 60 }), 'named')
        const same = expected.every((rows) => rows.length === 0)
        expect(comparison).toBe(same ? 'equal' : 'differs')
        expect(same ? null : totalsOf(differing)).toEqual(
          same ? null : [expected.flat().length, ...expected.map((rows) => rows.length)],
        )
        expect(same ? null : keysOf(differing)).toEqual(same ? null : expected.map((rows) => rows.slice(0, 20)))
      }),
      { numRuns: 25 },
    )
  })
})
