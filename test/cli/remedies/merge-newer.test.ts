/** A table that got 10,000 rows after its backup, and then lost a page: each row is back or listed, and none is new. */
import { readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import type { Account } from '../../../src/model/result/account.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { examine, type RowsByKey } from '../../support/remedies/contents.ts'
import { bytesOf, differentParts } from '../../support/remedies/live-files.ts'
import { shortRemedy, onlyResult, runRemedy } from '../../support/remedies/remedy-run.ts'

const pageSize = 1024

/** Values of each storage class. Text looks like numbers, and numbers are at the edges. */
function addRows(db: Database.Database, from: number, to: number): void {
  const put = db.prepare('INSERT INTO mixed VALUES(?, ?, ?, ?, ?, ?)')
  db.transaction(() => {
    for (let i = from; i <= to; i++)
      put.run(
        i,
        `00${i}`,
        BigInt(i) * 709_490_156_681_000n,
        i / 7,
        Buffer.from([i & 255, 0, i >> 8]),
        i % 3 ? null : '1',
      )
  })()
}

function makeOlder(path: string, mode: string): void {
  const db = new Database(path)
  db.pragma(`page_size=${pageSize}`)
  db.pragma(`journal_mode=${mode}`)
  db.pragma('secure_delete=OFF')
  db.exec('CREATE TABLE mixed(id INTEGER PRIMARY KEY, t TEXT, i INTEGER, r REAL, b BLOB, n)')
  db.exec('CREATE INDEX mixed_t ON mixed(t)')
  addRows(db, 1, 3_000)
  db.close()
}

/** After the backup: 10,000 rows come, some of the older ones change, and some go. */
function writeNewer(path: string): void {
  const db = new Database(path)
  addRows(db, 3_001, 13_000)
  db.exec("UPDATE mixed SET r = -1.5, n = 'changed' WHERE id BETWEEN 500 AND 520")
  db.exec('DELETE FROM mixed WHERE id BETWEEN 900 AND 910')
  db.close()
}

/** A page of rows that came after the backup becomes zeroes. */
function loseLeaf(path: string): void {
  const db = new Database(path)
  const page = db
    .prepare(
      "SELECT pageno FROM dbstat WHERE name = 'mixed' AND pagetype = 'leaf' ORDER BY path DESC LIMIT 1 OFFSET 40",
    )
    .pluck()
    .get() as number
  db.close()
  const bytes = readFileSync(path)
  bytes.fill(0, (page - 1) * pageSize, page * pageSize)
  writeFileSync(path, bytes)
}

const rowsOf = (path: string): RowsByKey => examine(path).contents.tables.get('mixed') ?? new Map<string, string>()

it.each(['WAL', 'DELETE'])('restore --merge-newer brings them back (%s)', async (mode) => {
  using folder = makeFolder()
  const path = folder.in('app.db')
  const backups = ['--backups', folder.in('backups')]
  makeOlder(path, mode)
  const kept = await holdfast(['backups', 'add', path, ...backups])
  expect(kept.code, kept.stderr).toBe(0)
  writeNewer(path)
  const expected = rowsOf(path)
  expect(expected.size).toBe(13_000 - 11)
  loseLeaf(path)
  const bytes = bytesOf(path)

  const result = onlyResult(await runRemedy(['restore', path, ...backups, '--merge-newer', '--apply']))
  expect(shortRemedy(result), result.failure?.message).toBe('restore, rehearsed sound, applied sound')
  expect(examine(path).integrity).toEqual([])
  const found = rowsOf(path)
  expect([...found].filter(([key, values]) => expected.get(key) !== values)).toEqual([])
  const missing = [...expected.keys()].filter((key) => !found.has(key))
  const account = JSON.parse(readFileSync(result.account ?? '', 'utf8')) as Account
  const listed = account.tables.find(({ table }) => table === 'mixed')
  expect(listed?.unreadable.keys.map((key) => `integer ${JSON.stringify(key)}`)).toEqual(missing)
  expect(missing.length).toBeGreaterThan(5)
  expect([listed?.added.total, listed?.deleted.total]).toEqual([10_000 - missing.length, 11])

  await runRemedy(['restore', path, '--undo'])
  expect(differentParts(bytes, bytesOf(path))).toEqual([])
})
