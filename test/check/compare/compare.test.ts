/** Two files by content (I3.2): equal where only the layout differs, and the exact rows where they are not. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Comparison, RowDifferences, TableComparison } from '../../../src/model/result/comparison.ts'
import type { RowKey } from '../../../src/model/result/finding.ts'
import { compareInProcess, openInProcess } from '../../support/compare-in-process.ts'
import { create } from '../../support/databases/create-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { createReserved } from '../../support/databases/special-layouts.ts'
import { readInProcess } from '../../support/read-in-process.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compare-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = (): string => join(folder, `${files++}.db`)

type Fill = (db: Database.Database) => void

function make(
  fill: Fill,
  { pageSize = 4096, pragmas = [] }: { readonly pageSize?: number; readonly pragmas?: readonly string[] } = {},
): string {
  const path = fresh()
  create(path, pageSize, fill, pragmas)
  return path
}

/** A copy, changed by SQL. */
function changed(path: string, sql: string): string {
  const copy = fresh()
  copyFileSync(path, copy)
  const db = new Database(copy)
  db.exec(sql)
  db.close()
  return copy
}

const wordsOf = ({ tables }: Comparison): Record<string, string> =>
  Object.fromEntries(tables.map(({ name, comparison }) => [name, comparison]))
const table = ({ tables }: Comparison, name: string): TableComparison =>
  tables.find((one) => one.name === name) as TableComparison
const told = (differing: RowDifferences | null): readonly (readonly RowKey[])[] | null =>
  differing && [differing.onlyInA.keys, differing.onlyInB.keys, differing.different.keys]
const totals = (differing: RowDifferences | null): readonly number[] | null =>
  differing && [differing.rows, differing.onlyInA.total, differing.onlyInB.total, differing.different.total]

const fill: Fill = (db) => {
  db.exec(
    'CREATE TABLE named(id INTEGER PRIMARY KEY, v, w TEXT); CREATE TABLE loose(v, w); CREATE TABLE keyed(a ' +
      'TEXT, b INTEGER, c, PRIMARY KEY(a, b)) WITHOUT ROWID; CREATE INDEX named_v ON named(v)',
  )
  const [named, loose, keyed] = [
    db.prepare('INSERT INTO named VALUES(?,?,?)'),
    db.prepare('INSERT INTO loose VALUES(?,?)'),
    db.prepare('INSERT INTO keyed VALUES(?,?,?)'),
  ]
  db.transaction(() => {
    for (let i = 1; i <= 300; i++) {
      named.run(i * 2, i, `w${i}`)
      loose.run(i % 7, `w${i % 50}`)
      keyed.run(`a${i % 9}`, i, i * 3)
    }
  })()
}

describe('the contents that a look at rows adds up are those of the check', () => {
  test.each(recipes)('$name', async ({ build }) => {
    for (const pageSize of [512, 4096]) {
      const path = fresh()
      build(path, pageSize)
      const { content } = await readInProcess(path)
      using reader = openInProcess(path)
      await reader.ask<'recover'>({ step: 'recover', keep: false }, 1000)
      const { plan } = await reader.ask<'schema'>({ step: 'schema' }, 1000)
      const digests: Record<string, string> = {}
      for (const [tree, one] of (plan?.trees ?? []).entries()) {
        if (one.kind === 'index' || one.object.name.startsWith('sqlite_')) continue
        await reader.ask<'beginTable'>(
          {
            step: 'beginTable',
            tree,
            reading: { identity: tree % 2 === 0 ? 'key' : 'content', asUtf8: false, key: [1, 2] },
            rowsMax: 10,
            memoryBytesMax: 1e9,
          },
          1000,
        )
        digests[one.object.name] = (await reader.ask<'sumRows'>({ step: 'sumRows' }, 1000)).digest
      }
      expect(digests).toEqual(Object.fromEntries(content.map(({ name, digest }) => [name, digest])))
    }
  })
})

describe('the same rows in another layout are equal', () => {
  test.each(recipes)('$name: after VACUUM, and with another page size', async ({ build }) => {
    const path = fresh()
    build(path, 1024)
    const packed = changed(path, 'VACUUM')
    const other = fresh()
    const db = new Database(path)
    db.pragma('page_size=8192')
    db.exec(`VACUUM INTO '${other}'`)
    db.close()
    for (const copy of [packed, other]) {
      const comparison = await compareInProcess(path, copy)
      expect([new Set(Object.values(wordsOf(comparison))), comparison.schemaDifferences]).toEqual([
        comparison.tables.length === 0 ? new Set() : new Set(['equal']),
        [],
      ])
    }
  })

  test('reserved bytes, WAL against rollback journal, auto-vacuum', async () => {
    const plain = make(fill)
    const reserved = fresh()
    createReserved(reserved, 2048, 32, fill)
    const wal = make((db) => {
      db.pragma('journal_mode=WAL')
      fill(db)
    })
    const auto = make(fill, { pragmas: ['auto_vacuum=FULL'] })
    for (const other of [reserved, wal, auto])
      expect(wordsOf(await compareInProcess(plain, other))).toEqual({ named: 'equal', loose: 'equal', keyed: 'equal' })
  })

  test('commits that still stand in the WAL are part of it', async () => {
    const path = make((db) => {
      db.pragma('journal_mode=WAL')
      fill(db)
    })
    const behind = fresh()
    const ahead = fresh()
    const db = new Database(path)
    db.pragma('wal_autocheckpoint=0')
    copyFileSync(path, behind)
    db.exec('UPDATE named SET v = 0 WHERE id = 4')
    for (const part of ['', '-wal']) copyFileSync(path + part, ahead + part)
    db.close()
    expect(told(table(await compareInProcess(behind, ahead), 'named').differing)).toEqual([[], [], [4]])
    expect(wordsOf(await compareInProcess(path, ahead))).toEqual({ named: 'equal', loose: 'equal', keyed: 'equal' })
  })

  test('UTF-16 against UTF-8: texts are compared, not their bytes; and what differs is told', async () => {
    const letters: Fill = (db) => {
      fill(db)
      db.exec(
        "CREATE TABLE texts(id INTEGER PRIMARY KEY, t TEXT); INSERT INTO texts VALUES(1, 'gr\u00fcn'), " +
          "(2, '\ud83d\ude42 \u6587'), (3, ''), (4, NULL), (5, 'plain'); CREATE TABLE k(t TEXT PRIMARY KEY, " +
          "n) WITHOUT ROWID; INSERT INTO k VALUES('gr\u00fcn', 1), ('\u6587', 2)",
      )
      db.exec(
        "ALTER TABLE texts ADD COLUMN later TEXT DEFAULT 'sp\u00e4t'; INSERT INTO texts VALUES(6, 'new', 'sp\u00e4t')",
      )
    }
    const [utf8, le, be] = ['UTF-8', 'UTF-16le', 'UTF-16be'].map((encoding) =>
      make(letters, { pragmas: [`encoding="${encoding}"`] }),
    ) as [string, string, string]
    for (const [a, b] of [
      [utf8, le],
      [be, utf8],
      [le, be],
    ] as const) {
      const comparison = await compareInProcess(a, b)
      expect(new Set(Object.values(wordsOf(comparison)))).toEqual(new Set(['equal']))
      for (const { digest } of comparison.tables) expect(digest.a).toBe(digest.b)
    }
    const other = changed(le, "UPDATE texts SET t = 'gelb' WHERE id = 1; DELETE FROM k WHERE n = 2")
    const comparison = await compareInProcess(utf8, other)
    expect([told(table(comparison, 'texts').differing), told(table(comparison, 'k').differing)]).toEqual([
      [[], [], [1]],
      [[['\u6587']], [], []],
    ])
  })

  test('rows that are older than a column, and the same rows written anew', async () => {
    const old = changed(
      make(fill),
      "ALTER TABLE named ADD COLUMN extra TEXT DEFAULT 'none'; ALTER TABLE named ADD " +
        'COLUMN more REAL DEFAULT 2; ALTER TABLE keyed ADD COLUMN empty',
    )
    const anew = changed(old, 'UPDATE named SET extra = extra, more = more; UPDATE keyed SET empty = NULL')
    const comparison = await compareInProcess(old, anew)
    expect(wordsOf(comparison)).toEqual({ named: 'equal', loose: 'equal', keyed: 'equal' })
  })

  test(
    '1 and 1.0 are the same to SQLite, in a column without a type and in a ' +
      'REAL one; 1 and the text 1 are not, nor NULL and 0',
    async () => {
      const numbers = (values: string): string =>
        make((db) => db.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, free, r REAL); INSERT INTO t VALUES ${values}`))
      const whole = numbers('(1, 1, 1), (2, NULL, NULL), (3, -0.0, 0)')
      expect(wordsOf(await compareInProcess(whole, numbers('(1, 1.0, 1.0), (2, NULL, NULL), (3, 0, -0.0)')))).toEqual({
        t: 'equal',
      })
      expect(
        told(table(await compareInProcess(whole, numbers("(1, '1', 1), (2, NULL, 0), (3, 0, 0)")), 't').differing),
      ).toEqual([[], [], [1, 2]])
    },
  )
})

describe('rows that differ are told exactly', () => {
  test('INTEGER PRIMARY KEY: changed, missing, added, to the rowid', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(
        a,
        "UPDATE named SET w = 'x' WHERE id IN (10, 20); DELETE FROM named WHERE id = 600; " +
          "INSERT INTO named VALUES(9223372036854775807, 1, 'y'), (-5, 1, 'z')",
      ),
    )
    expect(wordsOf(comparison)).toEqual({ named: 'differs', loose: 'equal', keyed: 'equal' })
    const named = table(comparison, 'named')
    expect([named.rowsToldBy, totals(named.differing), told(named.differing), named.rows]).toEqual([
      'rowid',
      [5, 1, 2, 2],
      [[600], [-5, '9223372036854775807'], [10, 20]],
      { a: 300, b: 301 },
    ])
    expect(named.digest.a).not.toBe(named.digest.b)
  })

  test('a rowid that changed is content where it is the key, and none where it is not', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(a, 'UPDATE named SET id = id + 1 WHERE id = 2; UPDATE loose SET rowid = rowid + 1000'),
    )
    expect(told(table(comparison, 'named').differing)).toEqual([[2], [3], []])
    expect(wordsOf(comparison)).toMatchObject({ loose: 'equal' })
  })

  test('a table with rowids but no key: what each side has and the other has not, by the rowids of that side', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(
        a,
        "DELETE FROM loose WHERE rowid = 1; VACUUM; UPDATE loose SET w = 'x' WHERE rowid = 10; " +
          'INSERT INTO loose(rowid, v, w) SELECT 5000, v, w FROM loose WHERE rowid = 100',
      ),
    )
    const loose = table(comparison, 'loose')
    // Row 1 is gone, one row holds something else, and one more is just like another.
    expect([loose.comparison, loose.rowsToldBy, totals(loose.differing)]).toEqual(['differs', 'content', [4, 2, 2, 0]])
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
    const keyed = table(comparison, 'keyed')
    expect([keyed.rowsToldBy, told(keyed.differing)]).toEqual([
      'primary-key',
      [[['a1', 10]], [['new', 1]], [['a0', 9]]],
    ])
  })

  test('of many rows the number is exact and the first 20 are told, in as many passes as it takes', async () => {
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
      const [n, k, l] = ['n', 'k', 'l'].map((name) => table(comparison, name).differing) as [
        RowDifferences,
        RowDifferences,
        RowDifferences,
      ]
      expect([totals(n), totals(k), totals(l)]).toEqual([
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

  test(
    'more equal rows than a pass may hold: the number is the least that ' +
      'there is, or none is given, and never a wrong row',
    async () => {
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
      expect(table(comparison, 'l')).toMatchObject({
        comparison: 'differs',
        differing: null,
        why: expect.stringMatching(/too much alike/) as string,
      })
      expect(table(comparison, 'm')).toMatchObject({
        comparison: 'differs',
        differing: { rows: 1, exact: false, onlyInB: { total: 1, keys: [3001] } },
      })
    },
  )

  test('whatever is changed, the answer is that of a comparison in SQL', async () => {
    const a = make(fill)
    const cells = fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 320 }), deed: fc.constantFrom('delete', 'change', 'put') }),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(cells, async (deeds) => {
        const b = changed(
          a,
          deeds
            .map(
              ({ id, deed }) =>
                ({
                  delete: `DELETE FROM named WHERE id = ${id}`,
                  change: `UPDATE named SET v = v + 1 WHERE id = ${id}`,
                  put: `INSERT OR IGNORE INTO named VALUES(${id}, 'put', NULL)`,
                })[deed],
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
        const { comparison, differing } = table(await compareInProcess(a, b, { rowsEachPass: 60 }), 'named')
        const same = expected.every((rows) => rows.length === 0)
        expect(comparison).toBe(same ? 'equal' : 'differs')
        expect(same ? null : totals(differing)).toEqual(
          same ? null : [expected.flat().length, ...expected.map((rows) => rows.length)],
        )
        expect(same ? null : told(differing)).toEqual(same ? null : expected.map((rows) => rows.slice(0, 20)))
      }),
      { numRuns: 25 },
    )
  })
})

describe('schemas', () => {
  test('tables on one side only, in tables of both, and objects besides them', async () => {
    const a = make(fill)
    const b = changed(
      a,
      'DROP TABLE loose; CREATE TABLE late(x); INSERT INTO late VALUES(1); DROP INDEX named_v; ' +
        'CREATE INDEX named_w ON named(w); CREATE VIEW seen AS SELECT 1; CREATE TRIGGER t AFTER ' +
        'INSERT ON named BEGIN SELECT 1; END; PRAGMA user_version=4',
    )
    const comparison = await compareInProcess(a, b)
    expect(wordsOf(comparison)).toEqual({ keyed: 'equal', late: 'only-in-b', loose: 'only-in-a', named: 'equal' })
    expect([table(comparison, 'late').rows, table(comparison, 'loose').digest.b]).toEqual([{ a: null, b: 1 }, null])
    expect(comparison.schemaDifferences.map(({ text }) => text)).toEqual([
      'index named_v of named is only in A',
      'index named_w of named is only in B',
      'view seen is only in B',
      'trigger t of named is only in B',
      'user_version is 0 in A and 4 in B',
    ])
  })

  test('a table with other columns is said to differ, without pretending that its rows could be told apart', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(a, 'ALTER TABLE named ADD COLUMN extra; ALTER TABLE loose RENAME COLUMN v TO u'),
    )
    expect(table(comparison, 'named')).toMatchObject({
      comparison: 'differs',
      differing: null,
      why: expect.stringMatching(/columns are not the same/) as string,
    })
    expect(comparison.schemaDifferences.map(({ text }) => text)).toEqual([
      'table named: column extra only in B',
      'table loose: column v only in A; column u only in B',
    ])
    const order = await compareInProcess(
      make((db) => db.exec('CREATE TABLE t(x, y); INSERT INTO t VALUES(1, 2)')),
      make((db) => db.exec('CREATE TABLE t(y, x); INSERT INTO t VALUES(1, 2)')),
    )
    expect([wordsOf(order), order.schemaDifferences.map(({ text }) => text)]).toEqual([
      { t: 'differs' },
      ['table t: the columns are in another order'],
    ])
  })

  test('blanks, letter case, comments and needless quotes make no difference; what a statement says does', async () => {
    const a = make((db) => db.exec('CREATE TABLE t(x INTEGER PRIMARY KEY, y DEFAULT 1); CREATE INDEX i ON t(y)'))
    const b = make((db) =>
      db.exec('create  table "t" (x integer primary key /* the id */, [y] default 1);create index I on T ( y )'),
    )
    const c = make((db) => db.exec('CREATE TABLE t(x INTEGER PRIMARY KEY, y DEFAULT 2); CREATE INDEX i ON t(y)'))
    expect((await compareInProcess(a, b)).schemaDifferences).toEqual([])
    expect((await compareInProcess(a, c)).schemaDifferences.map(({ text }) => text)).toEqual([
      'table t: its statement is not the same',
    ])
  })

  test('the same columns with a rowid and without one: rows are told by what they hold', async () => {
    const a = make((db) =>
      db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,'a'),(2,'b'),(3,'c')"),
    )
    const b = make((db) =>
      db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES(1,'a'),(2,'x')"),
    )
    const t = table(await compareInProcess(a, b), 't')
    expect([t.rowsToldBy, told(t.differing)]).toEqual(['content', [[2, 3], [[2]], []]])
  })

  test('tables in which a virtual table keeps its data say so', async () => {
    const a = make((db) =>
      db.exec("CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES('one'), ('two')"),
    )
    const comparison = await compareInProcess(a, changed(a, "UPDATE notes SET body = 'three' WHERE rowid = 2"))
    expect(table(comparison, 'notes_content')).toMatchObject({
      partOf: 'notes',
      comparison: 'differs',
      differing: { different: { total: 1, keys: [2] } },
    })
  })
})

describe('what could not be looked at is said', () => {
  test('rows for which there is no memory: the tables differ, and which rows do nobody says', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(a, changed(a, 'DELETE FROM named WHERE id = 2'), { memoryBytesMax: 1000 })
    expect([wordsOf(comparison), table(comparison, 'named').differing, table(comparison, 'named').why]).toEqual([
      { keyed: 'equal', loose: 'equal', named: 'differs' },
      null,
      expect.stringMatching(/needs \d+ MB/),
    ])
  })

  test('no time: nothing is called equal', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(a, changed(a, ''), { timeoutMs: 0 })
    expect([new Set(Object.values(wordsOf(comparison))), comparison.why]).toEqual([
      new Set(['not-compared']),
      'A: no time was left for it; B: no time was left for it',
    ])
  })

  test('tables ordered by a collation of the application are compared all the same, for content knows no order', async () => {
    const ordered = (path: string): string => {
      const db = new Database(path)
      db.unsafeMode(true)
      db.exec(
        'PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, ' +
          "'a TEXT', 'a TEXT COLLATE mine') WHERE name = 'keyed'",
      )
      db.close()
      return path
    }
    const a = make(fill)
    const b = changed(a, 'UPDATE keyed SET c = NULL WHERE b = 3')
    const same = ordered(changed(a, ''))
    expect(wordsOf(await compareInProcess(ordered(a), same))).toEqual({
      keyed: 'equal',
      loose: 'equal',
      named: 'equal',
    })
    expect(told(table(await compareInProcess(same, ordered(b)), 'keyed').differing)).toEqual([[], [], [['a3', 3]]])
  })
})
