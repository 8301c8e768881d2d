/** Two files by content (I3.2): schemas that differ, and what could not be compared. */
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { answersOf, fill, keysOf, tableOf, useComparedDatabases } from '../../support/check/compared-databases.ts'
import { compareInProcess } from '../../support/compare-in-process.ts'

const { changed, make } = useComparedDatabases()

describe('schemas', () => {
  test('tables and other objects that only one side has', async () => {
    const a = make(fill)
    const b = changed(
      a,
      'DROP TABLE loose; CREATE TABLE late(x); INSERT INTO late VALUES(1); DROP INDEX named_v; ' +
        'CREATE INDEX named_w ON named(w); CREATE VIEW seen AS SELECT 1; CREATE TRIGGER t AFTER ' +
        'INSERT ON named BEGIN SELECT 1; END; PRAGMA user_version=4',
    )
    const comparison = await compareInProcess(a, b)
    expect(answersOf(comparison)).toEqual({ keyed: 'equal', late: 'only-in-b', loose: 'only-in-a', named: 'equal' })
    expect([tableOf(comparison, 'late').rows, tableOf(comparison, 'loose').digest.b]).toEqual([{ a: null, b: 1 }, null])
    expect(comparison.schemaDifferences.map(({ text }) => text)).toEqual([
      'index named_v of named is only in A',
      'index named_w of named is only in B',
      'view seen is only in B',
      'trigger t of named is only in B',
      'user_version is 0 in A and 4 in B',
    ])
  })

  test('a table with other columns differs, and its rows are not compared', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(
      a,
      changed(a, 'ALTER TABLE named ADD COLUMN extra; ALTER TABLE loose RENAME COLUMN v TO u'),
    )
    expect(tableOf(comparison, 'named')).toMatchObject({
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
    expect([answersOf(order), order.schemaDifferences.map(({ text }) => text)]).toEqual([
      { t: 'differs' },
      ['table t: the columns are in another order'],
    ])
  })

  test('blanks, letter case, comments and needless quotes make no difference; other words do', async () => {
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

  test('strings in double quotes that differ in case make a difference; names in double quotes do not', async () => {
    const withWords = (words: string): string =>
      make((db) => {
        db.exec(
          "CREATE TABLE t(a, b CHECK(b <> 'w')); CREATE INDEX i ON t(b) WHERE a = 'w'; CREATE VIEW v AS SELECT 'w'",
        )
        // This build of SQLite takes no strings in double quotes, so they are put into the schema.
        db.unsafeMode(true)
        db.pragma('writable_schema=ON')
        db.exec(`UPDATE sqlite_schema SET sql = replace(sql, '''w''', '${words}')`)
      })
    const a = withWords('"Open"')
    const names = ['table t', 'index i', 'view v'].map((name) => `${name}: its statement is not the same`)
    expect((await compareInProcess(a, withWords('"Open"'))).schemaDifferences).toEqual([])
    expect((await compareInProcess(a, withWords("''Open''"))).schemaDifferences).toEqual([])
    expect((await compareInProcess(a, withWords('"open"'))).schemaDifferences.map(({ text }) => text)).toEqual(names)
    const named = make((db) => db.exec('CREATE TABLE "T"("A", "B" CHECK("b" <> "A")); CREATE INDEX "I" ON "T"("B")'))
    const plain = make((db) => db.exec('CREATE TABLE t(a, b CHECK(b <> a)); CREATE INDEX i ON t(b)'))
    expect((await compareInProcess(named, plain)).schemaDifferences).toEqual([])
  })

  test('the same columns with a rowid and without: rows are compared by content', async () => {
    const a = make((db) =>
      db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,'a'),(2,'b'),(3,'c')"),
    )
    const b = make((db) =>
      db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES(1,'a'),(2,'x')"),
    )
    const t = tableOf(await compareInProcess(a, b), 't')
    expect([t.rowsToldBy, keysOf(t.differing)]).toEqual(['content', [[2, 3], [[2]], []]])
  })

  test('tables in which a virtual table keeps its data name it', async () => {
    const a = make((db) =>
      db.exec("CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES('one'), ('two')"),
    )
    const comparison = await compareInProcess(a, changed(a, "UPDATE notes SET body = 'three' WHERE rowid = 2"))
    expect(tableOf(comparison, 'notes_content')).toMatchObject({
      partOf: 'notes',
      comparison: 'differs',
      differing: { different: { total: 1, keys: [2] } },
    })
  })
})

describe('what could not be compared is reported', () => {
  test('too little memory for the rows: the tables differ, and no rows are named', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(a, changed(a, 'DELETE FROM named WHERE id = 2'), { memoryBytesMax: 1000 })
    expect([answersOf(comparison), tableOf(comparison, 'named').differing, tableOf(comparison, 'named').why]).toEqual([
      { keyed: 'equal', loose: 'equal', named: 'differs' },
      null,
      expect.stringMatching(/needs \d+ MB/),
    ])
  })

  test('no time: nothing is called equal', async () => {
    const a = make(fill)
    const comparison = await compareInProcess(a, changed(a, ''), { timeoutMs: 0 })
    expect([new Set(Object.values(answersOf(comparison))), comparison.why]).toEqual([
      new Set(['not-compared']),
      'A: no time was left for it; B: no time was left for it',
    ])
  })

  test('tables with a collation of the application are compared too, because content has no order', async () => {
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
    expect(answersOf(await compareInProcess(ordered(a), same))).toEqual({
      keyed: 'equal',
      loose: 'equal',
      named: 'equal',
    })
    expect(keysOf(tableOf(await compareInProcess(same, ordered(b)), 'keyed').differing)).toEqual([[], [], [['a3', 3]]])
  })
})
