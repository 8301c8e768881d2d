/** What the tests of pinned snapshots rely on: a copy of the book that is no state that was is seen as one. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { judgeBook, makeBook } from '../../support/live/book.ts'
import { startCrowd } from '../../support/live/crowd.ts'
import { eventually } from '../../support/processes.ts'

it('a whole copy is right, and a copy without its WAL is older', async () => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  makeBook(file, 'wal')
  expect(judgeBook(file)).toEqual({ seq: 1, wrong: null })
  await using crowd = await startCrowd({ file, folder: folder.file('crowd'), members: ['node'], orderly: true })
  await eventually('some transactions', () => crowd.acknowledged() > 20)
  await crowd.kill('node')
  const [main, whole] = [folder.file('main.db'), folder.file('whole.db')]
  copyFileSync(file, main)
  for (const part of ['', '-wal']) copyFileSync(file + part, whole + part)
  expect(judgeBook(whole).seq).toBeGreaterThanOrEqual(crowd.acknowledged())
  expect(judgeBook(whole).wrong).toBeNull()
  expect(judgeBook(main).seq).toBeLessThan(crowd.acknowledged())
})

it.each([
  ["insert into hist values (3, '')", /transactions, and the last one is 3/],
  ['update acct set balance = balance + 1 where id = 17', /accounts, 17 has/],
  ['update big set seq = -1 where id = 3', /^big has/],
])('a copy with a part of another state is wrong: %s', (sql, wrong) => {
  using folder = temporaryFolder()
  const file = folder.file('book.db')
  makeBook(file, 'wal')
  const database = new Database(file)
  database.exec(sql)
  database.close()
  expect(judgeBook(file).wrong).toMatch(wrong)
})
