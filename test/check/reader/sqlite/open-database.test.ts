/** What no file may do when it is opened. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { openDatabase, type Mode } from '../../../../src/check/reader/sqlite/open-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each<Mode>(['strict', 'tolerant'])('the WAL index is in memory, and no file is left: %s', (mode) => {
  const path = join(folder, `${mode}.db`)
  const made = new Database(path)
  made.pragma('journal_mode = wal')
  made.exec('create table t (x); insert into t values (1)')
  made.close()
  const db = openDatabase(path, mode)
  expect(db.prepare('select x from t').pluck().all()).toEqual([1])
  expect(readdirSync(folder).filter((name) => name.endsWith('-shm'))).toEqual([])
  const settings = [
    'locking_mode',
    'synchronous',
    'trusted_schema',
    'cell_size_check',
    'mmap_size',
    'temp_store',
    'foreign_keys',
  ].map((name) => db.pragma(name, { simple: true }))
  expect(settings).toEqual(['exclusive', 0, 0, 1, 0, 2, 0])
  db.close()
  expect(readdirSync(folder).filter((name) => name.startsWith(mode))).toEqual([`${mode}.db`])
})
