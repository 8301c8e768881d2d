import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { planCensus } from '../../src/census/plan-census.ts'
import { emptyTally } from '../../src/census/scan/tally.ts'
import { cellOffset } from '../../src/sqlite/page.ts'
import { varintBytes } from '../../src/sqlite/varint.ts'
import { census } from '../support/census/census-both-ways.ts'
import { create, fillEvents } from '../support/databases/create-database.ts'
import { dropCell, EditableDatabase, recordBody } from '../support/databases/surgeon.ts'
import { askInProcess } from '../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'census-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)

/** Changes rows of the schema, as an operator can with `writable_schema`. */
function editSchema(path: string, ...statements: readonly string[]): void {
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  for (const statement of statements) db.exec(statement)
  db.close()
}

const findingsOf = (path: string, ...more: readonly number[]): readonly unknown[] =>
  census(path, ...more).findings.map(({ rule, object, rows, total }) => [rule, object.name, rows, total])

test('an index with a collation of the application is compared with its table; only its order is not checked', () => {
  const path = fresh()
  const db = new Database(path)
  db.exec(
    'CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT COLLATE NOCASE); CREATE INDEX ' +
      "t_x ON t(x); INSERT INTO t VALUES(1, 'b'), (2, 'a'), (3, 'c')",
  )
  db.close()
  editSchema(path, "UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'FRENCH') WHERE name = 't'")
  expect(census(path)).toMatchObject({ findings: [], skipped: ['t_x'] })
  {
    using database = new EditableDatabase(path)
    const at = recordBody(database, database.root('t_x'), 1)
    database.edit(database.root('t_x'), (bytes) => {
      bytes[at] = 0x7a
    })
  }
  expect(findingsOf(path)).toEqual([['entry-differs-from-row', 't_x', [1], 1]])
})

test('two leaves that changed places are out of order, in tables and in indexes', () => {
  for (const [name, rule] of [
    ['events', 'rowid-out-of-order'],
    ['events_kind', 'index-out-of-order'],
    ['pairs', 'key-out-of-order'],
  ] as const) {
    const path = fresh()
    create(path, 1024, (db) => {
      fillEvents(900)(db)
      db.exec('CREATE TABLE pairs(a TEXT PRIMARY KEY, b) WITHOUT ROWID')
      for (let i = 0; i < 300; i++) db.prepare('INSERT INTO pairs VALUES(?, ?)').run(`key ${i}`, 'b'.repeat(20))
    })
    {
      using database = new EditableDatabase(path)
      const above =
        database
          .pages(name)
          .find((page) => database.children(page).length > 3 && database.bTree(database.children(page)[0] ?? 0).leaf) ??
        0
      database.edit(above, (bytes, bTree) => {
        const [a, b] = [cellOffset(bytes, bTree, 0), cellOffset(bytes, bTree, 1)]
        const first = bytes.readUInt32BE(a)
        bytes.writeUInt32BE(bytes.readUInt32BE(b), a)
        bytes.writeUInt32BE(first, b)
      })
    }
    const { findings, accounting } = census(path)
    expect(accounting).toEqual([])
    expect(askInProcess(path).lines).not.toEqual([])
    expect(new Set(findings.map(({ rule, object }) => `${rule} ${object.name}`))).toEqual(new Set([`${rule} ${name}`]))
    expect(findings[0]?.trail?.at(-1)).toBe(findings[0]?.page)
  }
})

test('a key that is too low in an interior page is out of order, in tables and in indexes', () => {
  const path = fresh()
  create(path, 1024, fillEvents(900))
  {
    using database = new EditableDatabase(path)
    const table = database.root('events')
    database.edit(table, (bytes, bTree) => {
      const at = cellOffset(bytes, bTree, 0) + 4
      const last = at + varintBytes(bytes, at) - 1
      bytes[last] = (bytes[last] ?? 0) - 1
    })
    const index = database.root('events_kind')
    const at = recordBody(database, index, 0)
    database.edit(index, (bytes) => {
      bytes[at] = 0x61
    })
  }
  const rules = census(path).findings.map(({ rule, object }) => `${rule} ${object.name}`)
  expect(rules).toContain('rowid-out-of-order events')
  expect(rules).toContain('index-out-of-order events_kind')
  expect(askInProcess(path).lines.join()).toMatch(/Rowid \d+ out of order/)
})

test('keys in many overflow pages of a healthy file do not use up the limit of overflow pages', () => {
  const path = fresh()
  create(path, 512, (db) => {
    db.exec('CREATE TABLE t(k TEXT PRIMARY KEY, x TEXT) WITHOUT ROWID; CREATE INDEX t_x ON t(x)')
    const put = db.prepare('INSERT INTO t VALUES(?, ?)')
    db.transaction(() => {
      for (let i = 0; i < 700; i++) put.run(`${(i * 7919) % 1009}`.padStart(1500, 'k'), 'x'.repeat(1400) + i)
    })()
  })
  expect(census(path)).toMatchObject({ accounting: [], findings: [] })
  expect(census(path, 1)).toMatchObject({ accounting: [], findings: [] })
})

test('an integer in a REAL column is compared as it is stored, as SQLite does', () => {
  const path = fresh()
  create(path, 4096, (db) =>
    db.exec(
      'CREATE TABLE t(id INTEGER PRIMARY KEY, x INTEGER); CREATE INDEX t_x ON t(x); INSERT ' +
        'INTO t VALUES(1, 9007199254740993), (2, 9007199254740992), (3, 7)',
    ),
  )
  editSchema(path, "UPDATE sqlite_schema SET sql = replace(sql, 'x INTEGER', 'x REAL') WHERE name = 't'")
  expect(askInProcess(path).lines).toEqual([])
  expect(findingsOf(path)).toEqual([])
})

test('a key that a unique index has twice is reported by its row', () => {
  const path = fresh()
  create(path, 4096, (db) =>
    db.exec(
      'CREATE TABLE t(id INTEGER PRIMARY KEY, x); CREATE INDEX t_x ON t(x); INSERT ' +
        "INTO t VALUES(1, 'a'), (2, 'b'), (3, 'b'), (4, NULL), (5, NULL)",
    ),
  )
  editSchema(path, "UPDATE sqlite_schema SET sql = 'CREATE UNIQUE INDEX t_x ON t(x)' WHERE name = 't_x'")
  expect(findingsOf(path)).toEqual([['unique-violated', 't_x', [3], 1]])
})

test('an index that lost all entries misses every row, whether one pass finds it or many', () => {
  const path = fresh()
  create(path, 1024, fillEvents(3000))
  {
    using database = new EditableDatabase(path)
    const empty = database.read(database.root('events_kind'))
    empty.fill(0)
    empty[0] = 10
    empty.writeUInt16BE(1024, 5)
    database.write(database.root('events_kind'), empty)
  }
  const once = findingsOf(path)
  expect(once).toEqual([
    ['row-missing-from-index', 'events_kind', Array.from({ length: 20 }, (_, i) => (i + 1) * 3), 3000],
  ])
  expect(findingsOf(path, 3, 700)).toEqual(once)
  expect(findingsOf(path, 1, 300)).toEqual(once)
})

test('a row that the table lost is an entry without a row in every index', () => {
  const path = fresh()
  create(path, 1024, fillEvents(500))
  {
    using database = new EditableDatabase(path)
    const page =
      database.pages('events').find((page) => database.bTree(page).leaf && database.read(page).readUInt16BE(1) === 0) ??
      0
    dropCell(database, page, 1)
  }
  expect(findingsOf(path)).toEqual(
    ['events_note', 'events_at', 'events_kind'].map((name) => ['entry-without-row', name, [6], 1]),
  )
})

test('twenty thousand tables take no more memory than a few', () => {
  const part = { cid: 0, descending: false, collation: 'BINARY', key: true }
  const { plan } = planCensus({
    pageSize: 4096,
    usable: 4096,
    pages: 1_000_000,
    encoding: 1,
    tables: Array.from({ length: 20_000 }, (_, i) => ({
      name: `t${i}`,
      root: 2 * i + 2,
      withoutRowid: false,
      columns: [{ name: 'x', type: 'REAL', pk: 0, hidden: 0, absent: { kind: 'null' } }],
    })),
    indexes: Array.from({ length: 20_000 }, (_, i) => ({
      name: `i${i}`,
      table: `t${i}`,
      root: 2 * i + 3,
      unique: false,
      partial: false,
      origin: 'c',
      parts: [part, { ...part, cid: -1, key: false }],
    })),
  })
  expect(plan.trees.length).toBe(40_001)
  const tally = emptyTally(plan, [1, 2])
  expect(tally.sums.byteLength + tally.entries.byteLength * 3 + tally.digests.byteLength).toBeLessThan(16e6)
})

test('rowids beyond 2^53 are reported as text, keys of several columns as a list', () => {
  const path = fresh()
  create(path, 4096, (db) =>
    db.exec(`
      CREATE TABLE big(id INTEGER PRIMARY KEY, x);
      CREATE INDEX big_x ON big(x);
      INSERT INTO big VALUES(9007199254740993, 'm'), (-9223372036854775808, 'n');
      CREATE TABLE pairs(a TEXT, b BLOB, c, PRIMARY KEY(a, b)) WITHOUT ROWID;
      CREATE INDEX pairs_c ON pairs(c);
      INSERT INTO pairs VALUES('ä', x'00ff', 'o')`),
  )
  {
    using database = new EditableDatabase(path)
    for (const [name, cell] of [
      ['big_x', 0],
      ['pairs_c', 0],
    ] as const) {
      const at = recordBody(database, database.root(name), cell)
      database.edit(database.root(name), (bytes) => {
        bytes[at] = 0x41
      })
    }
  }
  expect(findingsOf(path)).toEqual([
    ['entry-differs-from-row', 'big_x', ['9007199254740993'], 1],
    ['entry-differs-from-row', 'pairs_c', [['ä', { blob: '00ff' }]], 1],
  ])
})
