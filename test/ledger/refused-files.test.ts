/** Folders and files that are no ledger of ours: each is refused in plain words and left as it is. */

import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { fileIn, scratch } from '../support/ledger/sample-events.ts'

const run = newRunId()
const unusable = (why: RegExp) =>
  expect.objectContaining({ code: 'LEDGER_UNUSABLE', message: expect.stringMatching(why) as string }) as Error

test('a folder or file that others can write to is refused, and left as it is', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'open')
  mkdirSync(dir)
  chmodSync(dir, 0o770)
  await expect(openLedger(dir, run)).rejects.toEqual(unusable(/another user could change the ledger's folder/))
  await expect(readLedger(dir)).rejects.toEqual(unusable(/another user could change/))
  expect(readdirSync(dir)).toEqual([])
  chmodSync(dir, 0o700)
  writeFileSync(fileIn(dir), '')
  chmodSync(fileIn(dir), 0o606)
  await expect(openLedger(dir, run)).rejects.toEqual(unusable(/others can write to .*ledger\.db/))
})

test('a link in place of the file is not followed', async () => {
  using folder = scratch()
  const dir = join(folder.path, 'ledger')
  mkdirSync(dir, { mode: 0o700 })
  writeFileSync(join(folder.path, 'victim'), '')
  symlinkSync(join(folder.path, 'victim'), fileIn(dir))
  await expect(openLedger(dir, run)).rejects.toEqual(unusable(/not a file with one name/))
  expect(statSync(join(folder.path, 'victim')).size).toBe(0)
})

test('a folder that cannot be made says why', async () => {
  using folder = scratch()
  writeFileSync(join(folder.path, 'file'), '')
  await expect(openLedger(join(folder.path, 'file', 'ledger'), run)).rejects.toEqual(unusable(/ENOTDIR/))
  await expect(openLedger(join(folder.path, 'file'), run)).rejects.toEqual(unusable(/EEXIST/))
})

test('a ledger that its first run could not write is empty to readers, and the next run begins it', async () => {
  using folder = scratch()
  const database = new Database(fileIn(folder.path))
  database.pragma('journal_mode = wal') // Writes the first page, and no table.
  database.close()
  chmodSync(fileIn(folder.path), 0o600)
  await expect(readLedger(folder.path)).rejects.toEqual(unusable(/it is empty/))
  await using ledger = await openLedger(folder.path, run)
  expect([ledger.notice, await ledger.openHolds()]).toEqual([null, []])
})

test("another program's database is never touched", async () => {
  using folder = scratch()
  const database = new Database(fileIn(folder.path))
  database.exec('create table notes (text)')
  database.close()
  chmodSync(fileIn(folder.path), 0o600)
  await expect(openLedger(folder.path, run)).rejects.toEqual(unusable(/another program/))
  expect(readdirSync(folder.path)).toEqual(['ledger.db'])
})

test('a ledger of a newer holdfast is refused in plain words and left as it is', async () => {
  using folder = scratch()
  await (await openLedger(folder.path, run))[Symbol.asyncDispose]()
  const database = new Database(fileIn(folder.path))
  database.pragma('user_version = 99')
  database.close()
  await expect(openLedger(folder.path, run)).rejects.toEqual(unusable(/newer holdfast \(ledger version 99/))
  await expect(readLedger(folder.path)).rejects.toEqual(unusable(/newer holdfast/))
  expect(readdirSync(folder.path)).toEqual(['ledger.db', 'ledger.note'])
})

test('an error of the kernel or the disk is reported with its path', async () => {
  using folder = scratch()
  mkdirSync(fileIn(folder.path))
  await expect(openLedger(folder.path, run)).rejects.toEqual(unusable(/ledger\.db/))
})
