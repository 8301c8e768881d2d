/** Notices of whole checks: about the WAL, the journal, and what the ledger knows. None of them changes a verdict. */
import { copyFileSync, utimesSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { crashWithJournal } from '../../support/cli/crashed-live-sets.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, holdfast, reportOf, single } from '../../support/cli/program.ts'
import { rememberedFile, said, sql } from '../../support/cli/silently-changed.ts'

test('rows that were there at the last sound check are gone: told once, and the file is sound', async () => {
  using remembered = rememberedFile({ rows: 600 })
  const { path, check } = remembered
  expect([shortVerdict(await check()), said(await check())]).toEqual(['sound', []])
  sql(path, 'DELETE FROM notes')
  const emptied = await check()
  expect([shortVerdict(emptied), said(emptied)]).toEqual(['sound', [['rows-gone', 'notice']]])
  expect(emptied.findings[0]?.text).toMatch(/^table notes has no rows; it had 600 rows at the last sound check \(20/)
  expect(said(await check())).toEqual([])
})

test('a table that was dropped is told, and one that was renamed is not', async () => {
  using remembered = rememberedFile({ rows: 600 })
  const { path, check } = remembered
  await check()
  sql(path, 'ALTER TABLE notes RENAME TO letters')
  expect(said(await check())).toEqual([])
  sql(path, 'DROP TABLE letters')
  expect(said(await check())).toEqual([['rows-gone', 'notice']])
})

test('a hot journal that is weeks old', async () => {
  using folder = makeFolder()
  const path = crashWithJournal(folder, 'old')
  const check = async (): Promise<readonly unknown[]> => {
    const result = single(await reportOf(['check', '--snapshot', path]))
    return [shortVerdict(result), said(result)]
  }
  expect(await check()).toEqual(['sound', []])
  const weeksAgo = Date.now() / 1000 - 30 * 86_400
  utimesSync(`${path}-journal`, weeksAgo, weeksAgo)
  expect(await check()).toEqual(['sound', [['journal-old', 'notice']]])
})

test('a WAL far larger than its file', async () => {
  using folder = makeFolder()
  const source = makeDatabase(folder.in('source.db'), { rows: 50, wal: true, pageSize: 1024 })
  const database = new Database(source)
  database.pragma('wal_autocheckpoint=0')
  const rewrite = database.prepare("UPDATE notes SET body = printf('%.*c', 300, char(65 + ?))")
  for (let i = 0; i < 300; i++) rewrite.run(i % 26)
  for (const part of ['', '-wal']) copyFileSync(source + part, folder.in(`app.db${part}`))
  database.close()
  const { stdout, code } = await holdfast(['check', folder.in('app.db')])
  expect(code).toBe(0)
  expect(stdout).toMatch(/still sound\):\n {2}\S+app\.db: the write-ahead log has \d/)
  const result = single(await reportOf(['check', folder.in('app.db')]))
  expect([shortVerdict(result), said(result)]).toEqual(['sound', [['wal-large', 'notice']]])
})
