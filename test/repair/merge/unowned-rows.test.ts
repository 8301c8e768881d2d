/** Tables that a salvage makes for rows without an owner are told from those of the application, and never merged. */
import Database from 'better-sqlite3'
import { beforeEach, afterEach, expect, it } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import type { EditableDatabase } from '../../support/databases/surgeon.ts'
import { checkOfResult, exactRows } from '../../support/merge/merge-in-process.ts'
import { makeWounded, mergeWounded } from '../../support/merge/wounded-live.ts'

let folder: Folder
beforeEach(() => {
  folder = makeFolder()
})
afterEach(() => folder[Symbol.dispose]())

const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); NUMBERS INSERT INTO t SELECT i, 'name ' || i FROM n`

/** @param after what the application did since the backup @param wound the damage */
const makeFiles = (after: string, wound: (patient: EditableDatabase) => void): void =>
  makeWounded(folder, before, after, wound)

/** The free list is lost, so its pages look like pages that something lost. */
const loseFreeList = (patient: EditableDatabase): void => {
  patient.edit(1, (bytes) => bytes.fill(0, 32, 40))
}

const tablesOf = (path: string): readonly unknown[] => {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()
  } finally {
    db.close()
  }
}

const dropped = `CREATE TABLE dead(id INTEGER PRIMARY KEY, u TEXT, v TEXT, w TEXT, x BLOB);
  NUMBERS INSERT INTO dead SELECT i, 'secret ' || i, 'dead row', 'zz', x'00' FROM n; DROP TABLE dead`

it('rows of a dropped table stay away from the result, are counted, and are never said to be nothing', async () => {
  makeFiles(dropped, loseFreeList)
  using merged = await mergeWounded(folder)
  expect(tablesOf(folder.in('result'))).toEqual(['t'])
  expect(exactRows(folder.in('result'), 't')).toEqual(exactRows(folder.in('whole'), 't'))
  const [loss, ...others] = merged.losses
  expect(others).toEqual([])
  expect(loss).toMatchObject({
    table: 'holdfast_orphaned (rows that fit no table: deleted or lost)',
    lost: null,
    changed: 0,
    recovered: 0,
  })
  expect(loss?.keysTotal).toBeGreaterThan(300)
  const accounted = merged.account.summary.tables.find(({ table }) => table === 'holdfast_orphaned')
  expect(accounted).toMatchObject({ kept: 0, rows: { orphaned: { total: loss?.keysTotal }, added: { total: 0 } } })
})

it('tables of the application stay, whatever their names are', async () => {
  const own = ['holdfast_orphaned', 'holdfast_orphaned_2', 'Holdfast_Orphaned_t', 'holdfast_orphaned_x']
  const create = own.map((name) => `CREATE TABLE ${name}(a, b); INSERT INTO ${name} VALUES(1, '${name}'), (3, x'04');`)
  // Leaves of `t` become free pages, so the salvage makes a table for their rows too.
  makeFiles(`${create.join('')} ${dropped}; DELETE FROM t WHERE id BETWEEN 150 AND 300`, loseFreeList)
  using merged = await mergeWounded(folder)
  expect(tablesOf(folder.in('result'))).toEqual([...own, 't'].toSorted())
  for (const table of [...own, 't'])
    expect(exactRows(folder.in('result'), table)).toEqual(exactRows(folder.in('whole'), table))
  const rowsOf = (name: string): unknown => merged.account.summary.tables.find(({ table }) => table === name)?.rows
  for (const name of own) expect(rowsOf(name)).toMatchObject({ added: { total: 2 }, orphaned: { total: 0 } })
  const ofTable = rowsOf('t') as { readonly orphaned: { readonly total: number } }
  expect(ofTable).toMatchObject({ deleted: { total: 151 } })
  expect(ofTable.orphaned.total).toBeGreaterThan(100)
  expect(rowsOf('holdfast_orphaned_3')).toMatchObject({ added: { total: 0 } })
  expect(merged.losses.map(({ table }) => table)).toEqual([
    'holdfast_orphaned_3 (rows that fit no table: deleted or lost)',
  ])
  expect(checkOfResult(folder.in('result'))).toBe('ok')
})

it('newer rows without an owner are lost if their page may have been one of their table', async () => {
  makeFiles("NUMBERS INSERT INTO t SELECT i + 400, 'newer ' || i FROM n", (patient) => {
    patient.edit(1, (bytes) => bytes.writeUInt32BE(5, 36)) // The free list lacks pages: a leaf may be one of them.
    patient.write(2, Buffer.alloc(patient.layout.pageSize)) // The root.
  })
  using merged = await mergeWounded(folder)
  expect(exactRows(folder.in('result'), 't')).toEqual(exactRows(folder.in('backup'), 't'))
  expect(merged.losses).toMatchObject([{ table: 't', lost: null, recovered: 400, unreadable: 800, keysTotal: 400 }])
  const [accounted] = merged.account.summary.tables
  expect(accounted).toMatchObject({ kept: 400, rows: { unreadable: { total: 400 }, orphaned: { total: 800 } } })
})

it('a table of such a name that only the backup has was dropped by the application', async () => {
  makeFiles('', () => {})
  const db = new Database(folder.in('backup'))
  db.exec('CREATE TABLE holdfast_orphaned_t(a); INSERT INTO holdfast_orphaned_t VALUES(1)')
  db.close()
  using merged = await mergeWounded(folder)
  expect(tablesOf(folder.in('result'))).toEqual(['t'])
  const accounted = merged.account.summary.tables.find(({ table }) => table === 'holdfast_orphaned_t')
  expect(accounted?.rows.deleted.total).toBe(1)
})
