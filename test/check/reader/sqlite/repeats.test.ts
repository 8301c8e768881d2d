import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { readObjects } from '../../../../src/check/reader/schema/schema-objects.ts'
import { checkIntegrity } from '../../../../src/check/reader/sqlite/integrity.ts'

test('equal messages of SQLite about several rows are all reported', () => {
  const folder = mkdtempSync(join(tmpdir(), 'repeats-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const db = new Database(join(folder, 'a.db'))
  onTestFinished(() => void db.close())
  db.exec("create table t(id integer primary key, c text); insert into t(c) values (null), (null), (null), ('x')")
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  db.exec("update sqlite_schema set sql = 'create table t(id integer primary key, c text not null)'")
  db.pragma('writable_schema=RESET')
  const { facts } = checkIntegrity(db, { depth: 'full', objects: readObjects(db).objects, tableByTable: false })
  expect(facts).toEqual(Array.from({ length: 3 }, () => ({ kind: 'message', text: 'NULL value in t.c' })))
})
