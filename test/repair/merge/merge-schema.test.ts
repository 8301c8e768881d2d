import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { MergeFixture } from '../../support/merge/merge-fixture.ts'
import { exactRows, checkOfResult, mergeInProcess } from '../../support/merge/merge-in-process.ts'

function ask(path: string, sql: string): unknown {
  const db = new Database(path)
  try {
    return db.prepare(sql).raw().all()
  } finally {
    db.close()
  }
}

const schemaOf = (path: string): unknown =>
  ask(
    path,
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
  )

it('runs no triggers, and keeps triggers and views as they are written', () => {
  const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE seen(id INTEGER PRIMARY KEY, what);
    CREATE TRIGGER t_new AFTER INSERT ON t BEGIN INSERT INTO seen(what) VALUES('new ' || new.id); END;
    CREATE TRIGGER t_gone BEFORE DELETE ON t BEGIN INSERT INTO seen(what) VALUES('gone ' || old.id); END;
    CREATE VIEW v AS SELECT a FROM t;
    CREATE TRIGGER v_new INSTEAD OF INSERT ON v BEGIN INSERT INTO t(a) VALUES(new.a); END;
    INSERT INTO t VALUES(1, 'x'), (2, 'y')`
  using files = new MergeFixture(before, "INSERT INTO t VALUES(3, 'z'); DELETE FROM t WHERE id = 1")
  mergeInProcess(files.backup, files.salvaged, files.result)
  expect(schemaOf(files.result)).toEqual(schemaOf(files.live))
  for (const table of ['t', 'seen']) expect(exactRows(files.result, table)).toEqual(exactRows(files.live, table))
  expect(ask(files.result, "INSERT INTO v VALUES('by view') RETURNING 1")).toEqual([[1]])
  expect(ask(files.result, 'SELECT count(*) FROM seen')).toEqual([[5]])
})

it('keeps double-quoted strings of views and triggers, which a new statement could not have', () => {
  using files = new MergeFixture('CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t', 'INSERT INTO t VALUES(1)')
  for (const path of [files.backup, files.salvaged]) {
    const db = new Database(path)
    db.unsafeMode(true)
    db.exec(`PRAGMA writable_schema=ON;
      UPDATE sqlite_schema SET sql = 'CREATE VIEW v AS SELECT a, "text" AS b FROM t' WHERE name = 'v';
      PRAGMA writable_schema=RESET`)
    db.close()
  }
  mergeInProcess(files.backup, files.salvaged, files.result)
  expect(schemaOf(files.result)).toEqual(schemaOf(files.salvaged))
})

it('leaves generated columns to SQLite, and merges STRICT tables and tables whose rows fail a CHECK', () => {
  const before = `CREATE TABLE g(id INTEGER PRIMARY KEY, a INT, twice INT AS (a * 2), thrice INT AS (a * 3) STORED,
      CHECK (a < 1000)) STRICT;
    CREATE INDEX g_twice ON g(twice); CREATE INDEX g_sum ON g(a + 1) WHERE a > 3;
    INSERT INTO g(id, a) SELECT value, value FROM series WHERE value <= 50`
  const after = `UPDATE g SET a = 70 WHERE id = 7; INSERT INTO g(id, a) VALUES(60, 5), (61, 6);
    PRAGMA ignore_check_constraints=ON; INSERT INTO g(id, a) VALUES(62, 5000)`
  using files = new MergeFixture(before, after, [
    {
      table: 'g',
      rowids: [
        [20, 30],
        [61, 61],
      ],
    },
  ])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('g')?.keys).toMatchObject({ added: [60, 62], conflicting: [7], deleted: [] })
  expect(ask(files.result, 'SELECT twice, thrice FROM g WHERE id IN (7, 25) ORDER BY id')).toEqual([
    [140, 210],
    [50, 75],
  ])
  expect(ask(files.result, 'SELECT count(*) FROM g INDEXED BY g_twice')).toEqual([[52]])
})

it('gives a table the columns that ALTER TABLE has added since, and their defaults to older rows', () => {
  const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a);
    INSERT INTO t SELECT value, value FROM series WHERE value <= 30`
  const after = `ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'none'; ALTER TABLE t ADD COLUMN c;
    UPDATE t SET b = 'set' WHERE id IN (1, 12); CREATE INDEX t_b ON t(b); PRAGMA user_version=7`
  using files = new MergeFixture(before, after, [{ table: 't', rowids: [[10, 15]] }])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('t')?.keys).toMatchObject({ conflicting: [1], added: [], deleted: [] })
  expect(ask(files.result, 'SELECT id, b, c FROM t WHERE id IN (1, 12) ORDER BY id')).toEqual([
    [1, 'set', null],
    [12, 'none', null],
  ])
  expect(schemaOf(files.result)).toEqual(schemaOf(files.live))
  expect(ask(files.result, 'PRAGMA user_version')).toEqual([[7]])
  expect(checkOfResult(files.result)).toBe('ok')
})

it('keeps rows of a table with other columns beside the table of the backup', () => {
  const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
    INSERT INTO t SELECT value, 1, 2 FROM series WHERE value <= 5;
    CREATE TABLE u(x); PRAGMA user_version=1`
  const after = `ALTER TABLE t DROP COLUMN a; INSERT INTO t VALUES(9, 3); INSERT INTO u VALUES(1);
    PRAGMA user_version=2`
  using files = new MergeFixture(before, after)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.unmerged).toEqual([
    {
      table: 't',
      stays: 'backup',
      besides: 'holdfast_newer_t',
      why: 'the damaged file has it with other columns than the backup',
    },
  ])
  expect(merged.tables.get('t')?.keys).toMatchObject({
    added: [9],
    conflicting: [1, 2, 3, 4, 5],
    ofBackup: [1, 2, 3, 4, 5],
  })
  expect(exactRows(files.result, 't')).toEqual(exactRows(files.backup, 't'))
  expect(exactRows(files.result, 'holdfast_newer_t')).toEqual(exactRows(files.live, 't'))
  expect(exactRows(files.result, 'u')).toEqual(exactRows(files.live, 'u'))
  expect(ask(files.result, 'PRAGMA user_version')).toEqual([[1]])
})

it.each([
  ['renamed', 'ALTER TABLE t RENAME COLUMN k TO key', 2],
  ['of another kind', 'DROP TABLE t; CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 2)', 0],
])('keeps rows of a table whose primary key is %s beside the table of the backup', (_, after, inBoth) => {
  const before = `CREATE TABLE t(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES('a', 1), ('b', 2)`
  using files = new MergeFixture(before, `${after}; INSERT INTO t VALUES(77, 3)`)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.unmerged).toMatchObject([{ table: 't', stays: 'backup', besides: 'holdfast_newer_t' }])
  expect(exactRows(files.result, 't', 'k')).toEqual(exactRows(files.backup, 't', 'k'))
  expect(ask(files.result, 'SELECT * FROM holdfast_newer_t ORDER BY v')).toEqual(
    ask(files.live, 'SELECT * FROM t ORDER BY v'),
  )
  expect(merged.tables.get('t')?.keys.conflicting).toHaveLength(inBoth)
  expect(checkOfResult(files.result)).toBe('ok')
})

it('finds a name of its own for these rows, whatever the names of other tables are', () => {
  const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES(1, 2, 3);
    CREATE VIEW holdfast_newer_t_2 AS SELECT 1`
  const after = `ALTER TABLE t DROP COLUMN a; CREATE TABLE Holdfast_Newer_t(x); INSERT INTO holdfast_newer_t VALUES(7)`
  using files = new MergeFixture(before, after)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.unmerged).toMatchObject([{ table: 't', besides: 'holdfast_newer_t_3' }])
  expect(exactRows(files.result, 'holdfast_newer_t_3')).toEqual(exactRows(files.live, 't'))
  expect(exactRows(files.result, 'holdfast_newer_t')).toEqual(exactRows(files.live, 'holdfast_newer_t'))
  expect(checkOfResult(files.result)).toBe('ok')
})

const renewed = `DROP TABLE old; CREATE TABLE fresh(a TEXT PRIMARY KEY, b) WITHOUT ROWID;
  CREATE INDEX fresh_b ON fresh(b);
  INSERT INTO fresh VALUES('x', 1), ('y', x'02'); CREATE TABLE holdfast_orphaned_t(x); DROP VIEW v;
  CREATE VIEW w AS SELECT 1 AS one;
  DROP INDEX t_a; CREATE INDEX t_ab ON t(a, b); PRAGMA application_id=77`
const original = `CREATE TABLE old(id INTEGER PRIMARY KEY, a); INSERT INTO old VALUES(1, 1), (2, 2);
  CREATE TABLE t(a, b); CREATE INDEX t_a ON t(a); CREATE VIEW v AS SELECT 1; INSERT INTO t VALUES(1, 2)`

it('carries new tables over, and drops those that the damaged file has dropped, with every key', () => {
  using files = new MergeFixture(original, renewed)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('old')?.keys.deleted).toEqual([1, 2])
  expect(merged.tables.get('fresh')?.keys.added).toEqual([['x'], ['y']])
  expect(schemaOf(files.result)).toEqual(schemaOf(files.live))
  expect(exactRows(files.result, 'fresh', 'a')).toEqual(exactRows(files.live, 'fresh', 'a'))
  expect(ask(files.result, 'PRAGMA application_id')).toEqual([[77]])
  expect(checkOfResult(files.result)).toBe('ok')
})

it('keeps tables, views and indexes of the backup if the schema could not be read wholly', () => {
  using files = new MergeFixture(original, renewed)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result, { schemaIsWhole: false })
  expect(merged.tables.get('old')?.totals).toMatchObject({ kept: 2, union: 2 })
  expect(merged.unmerged.map(({ table }) => table)).toEqual(['old'])
  expect(exactRows(files.result, 'old')).toEqual(exactRows(files.backup, 'old'))
  expect(ask(files.result, 'SELECT * FROM v')).toEqual([[1]])
  expect(ask(files.result, 'SELECT count(*) FROM t INDEXED BY t_a')).toEqual([[1]])
})

it('refuses if a new UNIQUE index does not allow the rows of both sides', () => {
  const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 'x'), (2, 'y'), (3, 'y')`
  const after = `UPDATE t SET a = 'z' WHERE id = 2; CREATE UNIQUE INDEX t_a ON t(a); UPDATE t SET a = 'x2' WHERE id = 3;
    UPDATE t SET a = 'y' WHERE id = 1`
  using files = new MergeFixture(before, after, [{ table: 't', rowids: [[3, 3]] }])
  expect(() => mergeInProcess(files.backup, files.salvaged, files.result)).toThrow(
    'the index t_a of t is newer than the backup and cannot be made: UNIQUE constraint failed: t.a',
  )
})

it('refuses files of two encodings', () => {
  using files = new MergeFixture('CREATE TABLE t(a)', '')
  using other = new MergeFixture('CREATE TABLE t(a)', '', [], "PRAGMA encoding='UTF-16le'")
  expect(() => mergeInProcess(files.backup, other.salvaged, files.result)).toThrow(
    'the backup stores its texts as UTF-8, the damaged file otherwise',
  )
})

it.each([
  ['fts5', 'CREATE VIRTUAL TABLE f USING fts5(title, body)'],
  ['fts4', 'CREATE VIRTUAL TABLE f USING fts4(title, body)'],
  ['fts3', 'CREATE VIRTUAL TABLE f USING fts3(title, body)'],
])('merges the rows of a table of %s, and makes its index anew', (_, create) => {
  const before = `${create};
    INSERT INTO f(rowid, title, body) SELECT value, 'title ' || value, 'apple' FROM series WHERE value <= 40`
  const after = `INSERT INTO f(rowid, title, body) VALUES(90, 'new', 'pear'), (91, 'lost', 'plum');
    DELETE FROM f WHERE rowid = 3;
    UPDATE f SET body = 'cherry' WHERE rowid = 4; DELETE FROM f WHERE rowid = 12`
  using files = new MergeFixture(before, after, [
    {
      table: 'f_content',
      rowids: [
        [10, 15],
        [91, 91],
      ],
      indexed: false,
    },
  ])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect([...merged.tables.keys()]).toEqual(['f'])
  expect(merged.tables.get('f')?.keys).toMatchObject({ added: [90], conflicting: [4], deleted: [3] })
  const find = (word: string): unknown =>
    ask(files.result, `SELECT rowid FROM f WHERE f MATCH '${word}' ORDER BY rowid LIMIT 3`)
  expect([find('pear'), find('cherry'), find('plum'), find('title')]).toEqual([[[90]], [[4]], [], [[1], [2], [4]]])
  expect(ask(files.result, 'SELECT count(*) FROM f')).toEqual([[40]])
  expect(checkOfResult(files.result)).toBe('ok')
})

it('makes the index of an external text anew, and takes that of a contentless one as a whole', () => {
  const before = `CREATE TABLE doc(id INTEGER PRIMARY KEY, body);
    CREATE VIRTUAL TABLE ext USING fts5(body, content='doc', content_rowid='id');
    CREATE VIRTUAL TABLE bare USING fts5(body, content='');
    INSERT INTO doc VALUES(1, 'apple'), (2, 'pear'); INSERT INTO ext(ext) VALUES('rebuild');
    INSERT INTO bare(rowid, body) VALUES(1, 'apple'), (2, 'pear')`
  const after = `INSERT INTO doc VALUES(3, 'plum'); INSERT INTO ext(rowid, body) VALUES(3, 'plum');
    INSERT INTO bare(rowid, body) VALUES(3, 'plum')`
  using files = new MergeFixture(before, after, [{ table: 'doc', rowids: [[2, 2]] }])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.unmerged).toEqual([
    { table: 'bare', stays: 'newer', besides: null, why: 'it stores no text, so its index cannot be made anew' },
  ])
  for (const word of ['apple', 'pear', 'plum'])
    for (const table of ['ext', 'bare'])
      expect(ask(files.result, `SELECT count(*) FROM ${table} WHERE ${table} MATCH '${word}'`)).toEqual([[1]])
  expect(checkOfResult(files.result)).toBe('ok')
})

it('merges an R-Tree through its module', () => {
  const before = `CREATE VIRTUAL TABLE r USING rtree(id, x0, x1, +label);
    INSERT INTO r SELECT value, value, value + 0.5, 'l' || value FROM series WHERE value <= 300`
  const after = `DELETE FROM r WHERE id = 7; UPDATE r SET label = 'new' WHERE id = 8;
    INSERT INTO r VALUES(900, 1, 2, x'01')`
  using files = new MergeFixture(before, after)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('r')?.keys).toMatchObject({ added: [900], conflicting: [8], deleted: [7] })
  expect(ask(files.result, 'SELECT * FROM r ORDER BY id')).toEqual(ask(files.live, 'SELECT * FROM r ORDER BY id'))
  expect(ask(files.result, "SELECT rtreecheck('r')")).toEqual([['ok']])
})

it('carries over a full-text table that only the damaged file has', () => {
  const after = `CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES('apple'), ('pear')`
  using files = new MergeFixture('CREATE TABLE t(a)', after)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('f')?.keys.added).toEqual([1, 2])
  expect(ask(files.result, "SELECT rowid FROM f WHERE f MATCH 'pear'")).toEqual([[2]])
  expect(checkOfResult(files.result)).toBe('ok')
})

it.each([
  ['c0 INTEGER PRIMARY KEY', 2000, ''],
  ['c0', 1999, ''],
  ['c0 PRIMARY KEY', 2000, 'WITHOUT ROWID'],
])('merges tables of up to 2000 columns: %s', (first, columns, how) => {
  const more = Array.from({ length: columns - 1 }, (_, i) => `c${i + 1}`).join(', ')
  const before = `CREATE TABLE t(${first}, ${more}) ${how};
    INSERT INTO t(c0, c1, c999) SELECT value, 'a', 'b' FROM series WHERE value <= 20`
  const after = `INSERT INTO t(c0, c5) VALUES(21, 'new'); DELETE FROM t WHERE c0 = 3;
    UPDATE t SET c${columns - 1} = x'00' WHERE c0 = 7; UPDATE t SET c999 = 1.0 WHERE c0 = 8`
  using files = new MergeFixture(before, after)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  const names = `c0, c1, c5, c999, quote(c999), quote(c${columns - 1})`
  const rows = `SELECT ${names} FROM t ORDER BY c0`
  expect(ask(files.result, rows)).toEqual(ask(files.live, rows))
  expect(merged.tables.get('t')?.totals).toMatchObject({ kept: 17, union: 21 })
  expect(checkOfResult(files.result)).toBe('ok')
})
