import { expect, it } from 'vitest'
import { RefusalError } from '../../../src/repair/worker/child/refusal-error.ts'
import { MergeFixture } from '../../support/merge/merge-fixture.ts'
import { exactRows, checkOfResult, mergeInProcess } from '../../support/merge/merge-in-process.ts'

const notes = `CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT UNIQUE, body, at REAL);
  INSERT INTO notes SELECT value, 'title ' || value, CASE value % 3 WHEN 0 THEN CAST(x'00ff' || value AS BLOB)
    WHEN 1 THEN value ELSE 'text' || char(0) || value END, value FROM series WHERE value <= 100;`
const noKeys = {
  added: [],
  conflicting: [],
  ofBackup: [],
  leftOut: [],
  deleted: [],
  unreadable: [],
  orphaned: [],
  fromIndex: [],
  doubted: [],
}

it('merges equal files into the backup itself', () => {
  using files = new MergeFixture(notes, '')
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('notes')?.totals).toEqual({
    kept: 100,
    union: 100,
    leftOutByUnique: 0,
    leftOutByForeignKey: 0,
  })
  expect(merged.tables.get('notes')?.loss).toBeNull()
  expect(merged.unmerged).toEqual([])
  expect(exactRows(files.result, 'notes')).toEqual(exactRows(files.live, 'notes'))
  expect(checkOfResult(files.result)).toBe('ok')
})

const changes = `INSERT INTO notes VALUES(200, 'new', x'01', 1.5), (201, 'lost', 'x', 2);
  UPDATE notes SET body = 1.0 WHERE id = 1; UPDATE notes SET title = 'newer' WHERE id = 50;
  DELETE FROM notes WHERE id IN (7, 51)`

it('adds newer rows, takes newer versions, keeps deletions, and brings back what was on lost pages', () => {
  using files = new MergeFixture(notes, changes, [
    {
      table: 'notes',
      rowids: [
        [45, 55],
        [201, 300],
      ],
      indexed: true,
      known: ['title'],
    },
  ])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(merged?.keys).toEqual({
    ...noKeys,
    added: [200],
    conflicting: [1, 50],
    ofBackup: [50],
    deleted: [7],
    unreadable: [201],
  })
  expect(merged?.totals).toMatchObject({ kept: 97, union: 102 })
  expect(merged?.loss).toEqual({
    table: 'notes',
    inBoth: 89,
    lost: null,
    changed: 0,
    recovered: 11,
    unreadable: 11,
    keys: [201],
    keysTotal: 1,
  })
  const expected = new Map(exactRows(files.live, 'notes'))
  const backup = exactRows(files.backup, 'notes')
  for (let id = 45; id <= 55; id++) expected.set(String(id), backup.get(String(id)) ?? '')
  expected.delete('201')
  expect(exactRows(files.result, 'notes')).toEqual(expected)
  expect(checkOfResult(files.result)).toBe('ok')
})

it('counts a row of a lost page as deleted if a whole index does not have it', () => {
  using files = new MergeFixture(notes, changes, [
    { table: 'notes', rowids: [[45, 55]], indexed: true, complete: true },
  ])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(merged?.keys.deleted).toEqual([7, 51])
  expect(exactRows(files.result, 'notes').has('51')).toBe(false)
  expect(exactRows(files.result, 'notes').has('52')).toBe(true)
})

it('keeps the version of the backup where an index contradicts the row, or where it is preferred', () => {
  const after = `UPDATE notes SET body = 'changed' WHERE id IN (10, 20); INSERT INTO notes VALUES(300, 'added', 1, 1)`
  using files = new MergeFixture(notes, after, [{ table: 'notes', doubted: 'id IN (10, 300)' }])
  const newer = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(newer?.keys).toEqual({ ...noKeys, added: [300], conflicting: [10, 20], ofBackup: [10], doubted: [300] })
  expect(exactRows(files.result, 'notes').get('10')).toBe(exactRows(files.backup, 'notes').get('10'))
  expect(exactRows(files.result, 'notes').get('20')).toBe(exactRows(files.live, 'notes').get('20'))
  expect(newer?.loss).toMatchObject({ changed: 1, lost: 0, keys: [10], keysTotal: 1 })

  const backup = mergeInProcess(files.backup, files.salvaged, `${files.result}-2`, { prefer: 'backup' }).tables.get(
    'notes',
  )
  expect(backup?.keys).toEqual({ ...noKeys, added: [300], conflicting: [10, 20], ofBackup: [10, 20], doubted: [300] })
})

it('brings back a row outside of all lost ranges if an index or a broken cell still knows it', () => {
  using files = new MergeFixture(notes, '', [{ table: 'notes', cells: 'id = 33' }])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(merged?.keys).toEqual(noKeys)
  expect(merged?.loss).toMatchObject({ lost: 0, recovered: 1, unreadable: 1 })
  expect(exactRows(files.result, 'notes')).toEqual(exactRows(files.backup, 'notes'))
})

it('decides rows that violate UNIQUE together by preference, and lists the one that is left out', () => {
  // Row 50 is lost, and its title was given to row 400: both cannot be in the result.
  const after = `UPDATE notes SET title = 'other' WHERE id = 50; INSERT INTO notes VALUES(400, 'title 50', 1, 1)`
  using files = new MergeFixture(notes, after, [{ table: 'notes', rowids: [[50, 50]] }])
  const newer = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(newer?.keys).toEqual({ ...noKeys, added: [400], conflicting: [50], leftOut: [50] })
  expect(newer?.totals).toMatchObject({ kept: 99, leftOutByUnique: 1 })
  expect(exactRows(files.result, 'notes').has('400')).toBe(true)

  const backup = mergeInProcess(files.backup, files.salvaged, `${files.result}-2`, { prefer: 'backup' }).tables.get(
    'notes',
  )
  expect(backup?.keys).toEqual({ ...noKeys, conflicting: [400], leftOut: [400] })
  expect(backup?.loss).toMatchObject({ lost: 1, keys: [400] })
  expect(exactRows(`${files.result}-2`, 'notes')).toEqual(exactRows(files.backup, 'notes'))
  expect(checkOfResult(`${files.result}-2`)).toBe('ok')
})

it('takes values that rows have exchanged since the backup', () => {
  const after = `UPDATE notes SET title = 'x' WHERE id = 1; UPDATE notes SET title = 'title 1' WHERE id = 2;
    UPDATE notes SET title = 'title 2' WHERE id = 1`
  using files = new MergeFixture(notes, after)
  const merged = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(merged?.keys).toEqual({ ...noKeys, conflicting: [1, 2] })
  expect(exactRows(files.result, 'notes')).toEqual(exactRows(files.live, 'notes'))
})

it('gives a doubted row its newer version if another row has taken the values of the older one', () => {
  const after = `UPDATE notes SET title = 'x' WHERE id = 1; UPDATE notes SET title = 'title 1' WHERE id = 2`
  using files = new MergeFixture(notes, after, [{ table: 'notes', doubted: 'id = 1' }])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('notes')
  expect(merged?.keys).toEqual({ ...noKeys, conflicting: [1, 2], doubted: [1] })
  expect(exactRows(files.result, 'notes')).toEqual(exactRows(files.live, 'notes'))
})

it.each(['UTF-8', 'UTF-16le', 'UTF-16be'])('merges tables WITHOUT ROWID by their key in %s', (encoding) => {
  const before = `CREATE TABLE pairs(a TEXT COLLATE NOCASE, b ANY, c INT, PRIMARY KEY(a, b DESC)) STRICT, WITHOUT ROWID;
    INSERT INTO pairs SELECT 'Key ' || char(228) || (value / 10), value % 10, value FROM series WHERE value <= 200;
    INSERT INTO pairs VALUES('blob', x'0102', 1), ('big', 9007199254740993, 2), ('real', 0.5, 3)`
  const after = `DELETE FROM pairs WHERE a LIKE 'key _3'; UPDATE pairs SET a = upper(a) WHERE a = 'blob';
    UPDATE pairs SET c = 7 WHERE a = 'big'; INSERT INTO pairs VALUES('new', '1', 1), ('gone', x'ff', 1)`
  using files = new MergeFixture(
    before,
    after,
    [
      {
        table: 'pairs',
        keys: [
          ['Key ä4', 'Key ä6'],
          ['Key ä9', 'Key ä99'],
        ],
        cells: "a = 'gone'",
      },
    ],
    `PRAGMA encoding='${encoding}'`,
  )
  const merged = mergeInProcess(files.backup, files.salvaged, files.result).tables.get('pairs')
  expect(merged?.keys.added).toEqual([['new', '1']])
  expect(merged?.keys.conflicting).toEqual([
    ['big', '9007199254740993'],
    ['BLOB', { blob: '0102' }],
  ])
  expect(merged?.keys.deleted).toHaveLength(10)
  expect(merged?.keys.unreadable).toEqual([['gone', { blob: 'ff' }]])
  const key = "a || '/' || typeof(b) || hex(b)"
  const expected = new Map(exactRows(files.live, 'pairs', key))
  for (const one of expected.keys()) if (one.startsWith('gone')) expected.delete(one)
  expect(exactRows(files.result, 'pairs', key)).toEqual(expected)
  expect(checkOfResult(files.result)).toBe('ok')
})

it('keeps rowids, also of tables without a key, and gives AUTOINCREMENT the greater number of both sides', () => {
  const before = `CREATE TABLE log(line); INSERT INTO log(rowid, line) VALUES(5, 'a'), (9, 'b'), (-3, 'c');
    CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO auto(x) VALUES(1), (2), (3)`
  const after = `INSERT INTO log(rowid, line) VALUES(70, 'new'); INSERT INTO auto(x) VALUES(4);
    DELETE FROM auto WHERE id = 4`
  using files = new MergeFixture(before, after, [{ table: 'log', rowids: [[9, 9]] }])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('log')?.keys.added).toEqual([70])
  expect(exactRows(files.result, 'log')).toEqual(exactRows(files.live, 'log'))
  expect(exactRows(files.result, 'sqlite_sequence')).toEqual(exactRows(files.live, 'sqlite_sequence'))
})

it('compares a table by content if VACUUM has given its rows other rowids', () => {
  const before = `CREATE TABLE log(line, at);
    INSERT INTO log SELECT 'line ' || value, value / 3 FROM series WHERE value <= 50;
    INSERT INTO log VALUES('twice', 1), ('twice', 1)`
  const after = `DELETE FROM log WHERE at IN (0, 5); VACUUM; INSERT INTO log VALUES('new', x'00'), ('twice', 1)`
  using whole = new MergeFixture(before, after)
  const merged = mergeInProcess(whole.backup, whole.salvaged, whole.result).tables.get('log')
  expect(merged?.totals).toMatchObject({ kept: 47, union: 54 })
  expect(merged?.keys.added).toHaveLength(2)
  expect(merged?.keys.deleted).toHaveLength(5)
  expect(exactRows(whole.result, 'log')).toEqual(exactRows(whole.live, 'log'))

  using lost = new MergeFixture(before, after, [{ table: 'log', rowids: [[10, 20]] }])
  const back = mergeInProcess(lost.backup, lost.salvaged, lost.result).tables.get('log')
  expect(back?.totals).toMatchObject({ kept: 52, union: 54 })
  expect([...exactRows(lost.result, 'log').values()].toSorted()).toEqual(
    [...exactRows(lost.backup, 'log').values(), ...exactRows(lost.live, 'log').values()]
      .filter((row, i, all) => (i >= 52 ? !all.slice(0, 52).includes(row) : true))
      .concat(exactRows(lost.backup, 'log').get('51') ?? '')
      .toSorted(),
  )
})

it('leaves out rows without a parent, but not those that had none before', () => {
  const before = `CREATE TABLE users(id INTEGER PRIMARY KEY, name); CREATE TABLE posts(id INTEGER PRIMARY KEY,
      user REFERENCES users, re REFERENCES posts);
    INSERT INTO users SELECT value, 'u' FROM series WHERE value <= 20;
    INSERT INTO posts SELECT value, value, NULL FROM series WHERE value <= 20; INSERT INTO posts VALUES(90, 999, NULL)`
  const after = `INSERT INTO users VALUES(30, 'lost'), (31, 'new');
    INSERT INTO posts VALUES(40, 30, NULL), (41, 31, NULL), (42, 31, 40), (91, 998, NULL);
    DELETE FROM posts WHERE user = 5; DELETE FROM users WHERE id = 5`
  using files = new MergeFixture(before, after, [
    { table: 'users', rowids: [[30, 30]] },
    {
      table: 'posts',
      rowids: [
        [5, 6],
        [90, 90],
      ],
    },
  ])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('users')?.keys).toEqual({ ...noKeys, added: [31], deleted: [5] })
  // 40 and 91 name users of whom nothing is known, since a page of users is lost. 42 answers to 40.
  expect(merged.tables.get('posts')?.keys).toEqual({
    ...noKeys,
    added: [41],
    conflicting: [5, 40, 42, 91],
    leftOut: [5, 40, 42, 91],
  })
  expect(merged.tables.get('posts')?.totals).toMatchObject({ leftOutByForeignKey: 4, kept: 20 })
  expect(exactRows(files.result, 'posts').has('90')).toBe(true)
})

it('adds rows that had no parent in the damaged file either', () => {
  const before = `CREATE TABLE users(id INTEGER PRIMARY KEY);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, user REFERENCES users)`
  using files = new MergeFixture(before, 'INSERT INTO posts VALUES(1, 7)')
  expect(mergeInProcess(files.backup, files.salvaged, files.result).tables.get('posts')?.keys.added).toEqual([1])
})

it('refuses a table with more foreign keys than can be judged, and counts only those that have a parent', () => {
  const child = (parents: readonly string[]): string =>
    `CREATE TABLE p(id INTEGER PRIMARY KEY); INSERT INTO p VALUES(1);
      CREATE TABLE q(id INTEGER PRIMARY KEY, ${parents.map((to, i) => `c${i} REFERENCES ${to}(id)`).join(', ')});
      INSERT INTO q(id, c0) VALUES(1, 1)`
  using many = new MergeFixture(child(Array.from({ length: 63 }, () => 'p')), '')
  const refused = new RefusalError('q has 63 foreign keys, and at most 62 can be judged')
  expect(() => mergeInProcess(many.backup, many.salvaged, many.result)).toThrow(refused)
  const missing = Array.from({ length: 70 }, (_, i) => `none${i}`)
  using few = new MergeFixture(child(['p', ...missing]), 'INSERT INTO q(id, c0) VALUES(2, 1), (3, 9)')
  const merged = mergeInProcess(few.backup, few.salvaged, few.result)
  expect(merged.tables.get('q')?.keys).toMatchObject({ added: [2, 3], leftOut: [] })
  using lost = new MergeFixture(
    child(['p', ...missing]),
    'INSERT INTO p VALUES(5); INSERT INTO q(id, c0) VALUES(2, 5)',
    [{ table: 'p', rowids: [[5, 5]] }],
  )
  const without = mergeInProcess(lost.backup, lost.salvaged, lost.result)
  expect(without.tables.get('q')?.keys).toMatchObject({ added: [], leftOut: [2] })
})
