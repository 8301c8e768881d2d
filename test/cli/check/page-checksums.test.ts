/** Page checksums of cksumvfs: they are verified where most pages have them, and never guessed. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Result } from '../../../src/model/result/report.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, reportOf, single } from '../../support/cli/program.ts'
import { said, sql } from '../../support/cli/silently-changed.ts'
import { fillEvents } from '../../support/databases/create-database.ts'
import { createChecksummed, stampAll } from '../../support/databases/page-checksums.ts'
import { createReserved } from '../../support/databases/special-layouts.ts'

const pageSize = 1024
const check = async (path: string, ...more: readonly string[]): Promise<Result> =>
  single(await reportOf(['check', path, ...more]))

function change(path: string, at: number, byte: number): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, Buffer.from([byte]), 0, 1, at)
  } finally {
    closeSync(file)
  }
}

test('pages with right checksums are no news, nor are reserved bytes without them', async () => {
  using folder = makeFolder()
  createChecksummed(folder.in('right.db'))
  createReserved(folder.in('none.db'), pageSize, 8, fillEvents(400))
  createReserved(folder.in('zeros.db'), pageSize, 8, (db) => {
    db.exec('CREATE TABLE t(v)')
    db.pragma('secure_delete=ON')
    db.exec('INSERT INTO t SELECT randomblob(900) FROM generate_series(1, 1)'.replace(/SELECT.*/, 'VALUES(1)'))
    const put = db.prepare('INSERT INTO t VALUES(randomblob(900))')
    db.transaction(() => Array.from({ length: 200 }, () => put.run()))()
    db.exec('DELETE FROM t')
  })
  for (const name of ['right.db', 'none.db', 'zeros.db']) {
    const result = await check(folder.in(name))
    expect([name, shortVerdict(result), said(result)]).toEqual([name, 'sound', []])
  }
})

test('a bit that SQLite does not see is found by the checksum of its page', async () => {
  using folder = makeFolder()
  const path = createChecksummed(folder.in('app.db'))
  const bytes = readFileSync(path)
  const at = bytes.indexOf('xxxxxxxxxxxxxxxxxxxx')
  const page = Math.floor(at / pageSize) + 1
  // An unindexed value: nothing else knows it.
  sql(path, 'DROP INDEX events_note')
  stampAll(path, pageSize)
  expect(shortVerdict(await check(path))).toBe('sound')
  change(path, at, 0x79)
  const database = new Database(path, { readonly: true })
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
  database.close()
  const result = await check(path)
  expect([shortVerdict(result), said(result)]).toEqual(['damaged table', [['page-checksum-wrong', 'damage']]])
  expect(result.findings[0]).toMatchObject({ page, source: 'census' })
  expect(result.findings[0]?.text).toMatch(/does not carry the right checksum of cksumvfs, and \d+ of \d+ pages do$/)
  expect(result.remedy.do).toBe('ask')
  expect(said(await check(path, '--depth', 'quick'))).toEqual([['page-checksum-wrong', 'damage']])
})

test('a file most of whose checksums are wrong is not understood, and not damaged', async () => {
  using folder = makeFolder()
  const path = createChecksummed(folder.in('app.db'))
  const bytes = readFileSync(path)
  for (let page = 0; page < bytes.length / pageSize; page++)
    if (page % 4 !== 0) change(path, (page + 1) * pageSize - 1, (bytes[(page + 1) * pageSize - 1] ?? 0) ^ 0xff)
  expect(shortVerdict(await check(path))).toBe('sound')
})

test('frames of a WAL have no checksums, and the recovered file gets them', async () => {
  using folder = makeFolder()
  const path = createChecksummed(folder.in('app.db'))
  sql(path, 'SELECT 1', 'journal_mode=WAL')
  stampAll(path, pageSize)
  const database = new Database(path)
  database.pragma('wal_autocheckpoint=0')
  database.exec("UPDATE events SET kind = 'other' WHERE id % 5 = 0; DELETE FROM users WHERE id > 300")
  const copied = folder.in('copy.db')
  database.exec('BEGIN')
  for (const part of ['', '-wal']) {
    const { writeFileSync } = await import('node:fs')
    writeFileSync(copied + part, readFileSync(path + part))
  }
  database.close()
  const kept = folder.in('kept')
  const result = await check(copied, '--keep-snapshot', kept)
  expect([shortVerdict(result), said(result)]).toEqual(['sound', []])
  expect(result.recovery?.companions[0]?.did).toBe('replayed')
})
