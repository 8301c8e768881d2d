/** Rows that nothing names may be lost: then a merge does not say that it knows the number. */
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import type { TableLoss } from '../../../src/model/result/remedy.ts'
import type { LostRows } from '../../support/merge/lost-rows.ts'
import { MergeFixture } from '../../support/merge/merge-fixture.ts'
import { mergeInProcess, type MergedInTest } from '../../support/merge/merge-in-process.ts'

const before = `CREATE TABLE t(id INTEGER PRIMARY KEY, a);
  INSERT INTO t SELECT value, value FROM series WHERE value <= 100;
  CREATE TABLE k(name TEXT PRIMARY KEY, a) WITHOUT ROWID; INSERT INTO k VALUES('a', 1), ('m', 2), ('z', 3)`

function lossAfter(after: string, lost: LostRows): TableLoss | null | undefined {
  using files = new MergeFixture(before, after, [lost])
  return mergeInProcess(files.backup, files.salvaged, files.result).tables.get(lost.table)?.loss
}

it('if only newer rows were on a page without an index that names them', () => {
  const after = "INSERT INTO t SELECT value, 'newer' FROM series WHERE value > 100"
  const loss = lossAfter(after, { table: 't', rowids: [[901, 1000]] })
  expect(loss).toMatchObject({ lost: null, changed: 0, recovered: 0, unreadable: 0, keysTotal: 0 })
})

it('if a key between those of the backup may have had a row, but not if every key is known', () => {
  const loss = (after: string): unknown => lossAfter(after, { table: 't', rowids: [[40, 49]] })
  expect(loss('')).toMatchObject({ lost: 0, recovered: 10 })
  using files = new MergeFixture(before.replace('<= 100', '<= 100 AND value <> 44'), '', [
    { table: 't', rowids: [[40, 49]] },
  ])
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect(merged.tables.get('t')?.loss).toMatchObject({ lost: null, recovered: 9 })
})

it('is not so if an index that was read wholly names every row', () => {
  const after = "INSERT INTO t SELECT value, 'newer' FROM series WHERE value > 100"
  const loss = lossAfter(after, { table: 't', rowids: [[901, 1100]], indexed: true, complete: true })
  expect(loss).toMatchObject({ lost: 100, unreadable: 100 })
})

it('in the whole range of rowids, and in tables WITHOUT ROWID', () => {
  const all: LostRows['rowids'] = [[-(1n << 63n), (1n << 63n) - 1n]]
  expect(lossAfter('', { table: 't', rowids: all })).toMatchObject({ lost: null, recovered: 100 })
  expect(lossAfter('', { table: 'k', keys: [['b', 'y']] })).toMatchObject({ lost: null, recovered: 1 })
})

it('of a table that has other columns on both sides', () => {
  const after = 'ALTER TABLE t RENAME COLUMN id TO number'
  expect(lossAfter(after, { table: 't', rowids: [[40, 49]] })).toMatchObject({ lost: null, changed: 90 })
})

it('a row without an owner is unreadable if a lost page may have held it', () => {
  const after = `INSERT INTO t SELECT value, 'newer' FROM series WHERE value > 100; INSERT INTO k VALUES('p', 4)`
  using files = new MergeFixture(before, after, [
    { table: 't', rowids: [[901, 910]] },
    { table: 'k', keys: [['n', 'q']] },
  ])
  const facts = new Database(`${files.salvaged}-facts`)
  facts.exec(`INSERT INTO keys(table_id, kind, rowid_, key, page, why)
      SELECT id, 'orphaned', column1, column1, 9, 'test' FROM tables JOIN (VALUES(903), (910), (2000)) WHERE name = 't';
    INSERT INTO keys(rowid, table_id, kind, key, page, why) SELECT 100 + column1, id, 'orphaned', '["test"]', 9, 'test'
      FROM tables JOIN (VALUES(1), (2)) WHERE name = 'k';
    INSERT INTO keys_2 VALUES(101, 'p'), (102, 'r')`)
  facts.close()
  const keysIn = (table: string, { tables }: MergedInTest): unknown => tables.get(table)?.keys.unreadable
  const merged = mergeInProcess(files.backup, files.salvaged, files.result)
  expect([keysIn('t', merged), keysIn('k', merged)]).toEqual([[903, 910], [['p']]])
})
