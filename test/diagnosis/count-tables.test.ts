/** The reported rows of each table, against the rows before the wound. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countTables } from '../../src/diagnosis/count-tables.ts'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import type { ReportedTable } from '../../src/model/result/verdict.ts'
import { readCell } from '../../src/sqlite/cell.ts'
import { cellOffset } from '../../src/sqlite/page.ts'
import { create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { bareFileContext } from '../support/differential/engines.ts'
import { readInProcess } from '../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'count-tables-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')

function counted(reading: Reading): ReturnType<typeof countTables> {
  return countTables(reading, diagnose(reading, bareFileContext).findings)
}

const tableOf = (reading: Reading, name: string): ReportedTable | undefined =>
  counted(reading).tables.find((table) => table.name === name)

describe('every wound', () => {
  const healthy = join(folder, 'healthy.db')
  let before: ReadonlyMap<string, ReportedTable>
  beforeAll(async () => {
    createVariedDatabase(healthy, 1024, true)
    before = new Map(counted(await readInProcess(healthy)).tables.map((table) => [table.name, table]))
    for (const { rows, readable, unreadable } of before.values()) expect([readable, unreadable]).toEqual([rows, 0])
  })

  test.each(wounds.map((wound) => [wound.name, wound] as const))(
    '%s: nothing is whole that is not',
    async (_, wound) => {
      copyFileSync(healthy, path)
      {
        using database = new EditableDatabase(path)
        wound.make(database)
      }
      const reading = await readInProcess(path)
      const { tables, uncounted = [] } = counted(reading)
      for (const { name, rows, digest, readable, unreadable } of tables) {
        if (readable === undefined || unreadable === null || unreadable === undefined) continue
        const was = before.get(name)
        if (was === undefined) continue
        expect(readable, name).toBeLessThanOrEqual(rows)
        // An index of the table shows how many rows there were.
        if (unreadable > 0) expect(readable + unreadable, name).toBe(was.rows)
        const damaged = diagnose(reading, bareFileContext).findings.some(
          ({ severity, object }) => severity !== 'notice' && (object.name === name || object.table === name),
        )
        if (unreadable === 0 && !damaged) expect([name, rows, digest]).toEqual([name, was.rows, was.digest])
      }
      if (diagnose(reading, bareFileContext).damage === 'none') expect(uncounted).toEqual([])
    },
  )
})

const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)'

/** Zeroes a page in the middle of the leaves. @returns the rows that were on it */
function zeroLeaf(name: string): number {
  using database = new EditableDatabase(path)
  const leaves = database.pages(name).filter((page) => database.bTree(page).leaf)
  const page = leaves[Math.floor(leaves.length / 2)] ?? 0
  const { cellCount } = database.bTree(page)
  database.write(page, new Uint8Array(1024))
  return cellCount
}

function make(sql: string): void {
  rmSync(path, { force: true })
  create(path, 1024, (db) => db.exec(sql))
}

test('an index shows how many rows a lost page had', async () => {
  make(
    `CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE INDEX i ON t(a); ${numbers} INSERT INTO t ` +
      'SELECT i, hex(i * 7) FROM n; CREATE TABLE other(a); INSERT INTO other VALUES(1)',
  )
  const lost = zeroLeaf('t')
  const reading = await readInProcess(path)
  expect(lost).toBeGreaterThan(5)
  expect(tableOf(reading, 't')).toMatchObject({ rows: 500 - lost, readable: 500 - lost, unreadable: lost })
  expect(tableOf(reading, 'other')).toMatchObject({ rows: 1, readable: 1, unreadable: 0 })
})

test.each([
  ['no index', ''],
  ['a partial index only', 'CREATE INDEX i ON t(a) WHERE id > 3;'],
])('with %s, the rest cannot be counted', async (_, index) => {
  make(`CREATE TABLE t(id INTEGER PRIMARY KEY, a); ${index} ${numbers} INSERT INTO t SELECT i, hex(i * 7) FROM n`)
  const lost = zeroLeaf('t')
  expect(tableOf(await readInProcess(path), 't')).toMatchObject({ readable: 500 - lost, unreadable: null })
})

test('an index that is itself broken shows nothing', async () => {
  make(
    'CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE INDEX i ON t(a); ' +
      `${numbers} INSERT INTO t SELECT i, hex(i * 7) FROM n`,
  )
  zeroLeaf('i')
  const lost = zeroLeaf('t')
  expect(tableOf(await readInProcess(path), 't')).toMatchObject({ readable: 500 - lost, unreadable: null })
})

test('rows of a table WITHOUT ROWID', async () => {
  make(
    'CREATE TABLE w(k PRIMARY KEY, a) WITHOUT ROWID; CREATE INDEX i ON w(a); ' +
      `${numbers} INSERT INTO w SELECT hex(i), i * 7 FROM n`,
  )
  const lost = zeroLeaf('w')
  expect(tableOf(await readInProcess(path), 'w')).toMatchObject({ readable: 500 - lost, unreadable: lost })
})

test('a record that cannot be decoded is one row, and nothing else is lost', async () => {
  make(`CREATE TABLE t(id INTEGER PRIMARY KEY, a); ${numbers} INSERT INTO t SELECT i, hex(i * 7) FROM n`)
  {
    using database = new EditableDatabase(path)
    const leaf = database.pages('t').find((page) => database.bTree(page).leaf) ?? 0
    database.edit(leaf, (bytes, bTree) => {
      const cell = readCell(bytes, cellOffset(bytes, bTree, 2), bTree, database.layout)
      if (cell.kind !== 'cell') throw new Error(cell.why)
      // A header that is longer than its record.
      bytes.writeUInt8(0x7f, cell.payload)
    })
  }
  expect(tableOf(await readInProcess(path), 't')).toMatchObject({ rows: 500, readable: 499, unreadable: 1 })
})

test('rows that two indexes have and the table has not are rows that cannot be read', async () => {
  make(
    'CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON t(a); CREATE INDEX j ' +
      `ON t(b); ${numbers} INSERT INTO t SELECT i, i * 7, hex(i) FROM n`,
  )
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  const rows = db
    .prepare("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE type = 'index'")
    .raw()
    .all() as unknown[][]
  db.exec("DELETE FROM sqlite_schema WHERE type = 'index'")
  const blind = new Database(path)
  blind.exec('DELETE FROM t WHERE id IN (7, 8, 9)')
  blind.close()
  for (const row of rows) db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)').run(...row)
  db.close()
  expect(tableOf(await readInProcess(path), 't')).toMatchObject({ rows: 497, readable: 497, unreadable: 3 })
})

test('a quick check and SQLite alone report no rows one by one', async () => {
  make(`CREATE TABLE t(a); ${numbers} INSERT INTO t SELECT i FROM n`)
  expect(counted(await readInProcess(path, 'full', 'sqlite'))).toEqual({
    tables: [{ name: 't', rows: 500, digest: null }],
  })
  expect(counted(await readInProcess(path, 'quick'))).toEqual({ tables: [] })
  zeroLeaf('t')
  expect(counted(await readInProcess(path, 'full', 'sqlite'))).toEqual({ tables: [], uncounted: ['t'] })
})
