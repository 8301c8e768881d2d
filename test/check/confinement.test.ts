/** The walls around the reading processes as the kernel shows them, and the length of the files that they may write. */
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fileBytesFor } from '../../src/check/file-size-limit.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { fillEvents } from '../support/databases/create-database.ts'
import { useSnapshotFolder } from '../support/snapshot-folder.ts'

const isRoot = process.getuid?.() === 0
const signal = new AbortController().signal
const place = useSnapshotFolder()
const { open, make } = place
const megabyte = 1 << 20

/** Reading children of this process. */
function readers(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
          .split('\0')
          .join(' ')
          .trimEnd()
          .endsWith(`reader-child.js ${process.pid}`)
      } catch {
        return false // Gone since.
      }
    })
}
const limitsOf = (pid: number): string => readFileSync(`/proc/${pid}/limits`, 'utf8')

test('a reading names the walls around its process, and the kernel shows them', async () => {
  make(fillEvents(10))
  await using checker = await open()
  await checker.ready()
  const before = readers().map(limitsOf)
  const { walls } = await checker.check(place.snapshot, { depth: 'full', signal })
  expect(walls).toEqual(isRoot ? ['own-folder', 'other-user', 'few-calls'] : ['few-calls'])
  expect(before.length).toBe(1)
  for (const pid of readers()) {
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NoNewPrivs:\s+1\nSeccomp:\s+2$/m)
    expect(limitsOf(pid)).toMatch(/^Max processes\s+0\s+0/m)
    expect(limitsOf(pid)).toMatch(new RegExp(`^Max file size\\s+${64 * megabyte}\\s+${64 * megabyte}`, 'm'))
  }
})

test('if recovery writes more than the child may, a fresh child reads that snapshot and the next ones', async () => {
  make(fillEvents(10))
  const small = place.snapshot
  const large = join(place.folder, 'large') as SnapshotPath
  leaveInWal(join(place.folder, 'made.db'), large, 80 * megabyte)
  await using checker = await open()
  await checker.check(small, { depth: 'full', signal })
  const [first] = readers()
  const { facts, complete, content } = await checker.check(large, { depth: 'full', signal })
  expect([facts, complete, content.map(({ name, rows }) => [name, rows])]).toEqual([[], true, [['blobs', 1]]])
  const [second] = readers()
  expect(second).not.toBe(first)
  expect(limitsOf(second ?? 0)).toMatch(new RegExp(`^Max file size\\s+${256 * megabyte}\\s`, 'm'))
  make(fillEvents(10))
  await checker.check(small, { depth: 'full', signal })
  expect(readers()).toEqual([second])
})

/** A database with so many bytes in its WAL, copied before a checkpoint. */
function leaveInWal(path: string, copy: string, bytes: number): void {
  const db = new Database(path)
  db.pragma('journal_mode=WAL')
  db.pragma('wal_autocheckpoint=0')
  db.pragma('synchronous=OFF')
  db.exec(`CREATE TABLE blobs(b); INSERT INTO blobs VALUES(zeroblob(${bytes}))`)
  for (const part of ['', '-wal']) copyFileSync(path + part, copy + part)
  db.close()
}

test('a file may become as long as recovery can make it: twice its length, or the length in the journal', () => {
  const path = join(place.folder, 'x') as SnapshotPath
  writeFileSync(path, 'x')
  expect(fileBytesFor(path)).toBe(64 * megabyte)
  truncateSync(path, 40 * megabyte)
  expect(fileBytesFor(path)).toBe(128 * megabyte)
  writeFileSync(`${path}-wal`, '')
  truncateSync(`${path}-wal`, 100 * megabyte)
  expect(fileBytesFor(path)).toBe(512 * megabyte)
  const journal = Buffer.alloc(512)
  Buffer.from('d9d505f920a163d7', 'hex').copy(journal)
  journal.writeUInt32BE(1_000_000, 16) // Pages that a VACUUM found, before it cut the file to what was left.
  journal.writeUInt32BE(4096, 24)
  writeFileSync(`${path}-journal`, journal)
  expect(fileBytesFor(path)).toBe(4096 * megabyte)
  writeFileSync(`${path}-journal`, Buffer.alloc(512)) // Ended: it tells nothing.
  expect(fileBytesFor(path)).toBe(512 * megabyte)
})
