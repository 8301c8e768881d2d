import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { confinedUser } from '../../src/check/confinement.ts'
import { databaseName } from '../../src/check/questions.ts'
import { Room } from '../../src/check/room.ts'
import { moduleOf } from '../../src/check/virtual-table-module.ts'

const top = mkdtempSync(join(tmpdir(), 'room-'))
afterAll(() => rmSync(top, { recursive: true }))
const user = confinedUser()

let folder: string
let snapshot: SnapshotPath
beforeEach(() => {
  folder = mkdtempSync(join(top, 'snapshots-'))
  snapshot = join(folder, "a 'strange'\n.db") as SnapshotPath
  writeFileSync(snapshot, 'main', { mode: 0o600 })
})

test('a snapshot in a room keeps its name outside, so that nothing is lost whatever happens', async () => {
  writeFileSync(`${snapshot}-wal`, 'wal')
  await using room = await Room.open(folder, user)
  await room.admit(snapshot)
  expect(readdirSync(room.folder).toSorted()).toEqual([databaseName, `${databaseName}-wal`])
  expect(statSync(room.folder).mode & 0o777).toBe(0o700)
  expect(readFileSync(snapshot, 'utf8')).toBe('main')
  if (user !== null) expect(statSync(snapshot).uid).toBe(user.uid)
  await room.clear()
  expect(readdirSync(room.folder)).toEqual([])
  expect([statSync(snapshot).uid, statSync(snapshot).mode & 0o777, statSync(snapshot).nlink]).toEqual([process.getuid?.(), 0o600, 1])
  expect(readFileSync(`${snapshot}-wal`, 'utf8')).toBe('wal')
})

test('what SQLite removed inside goes outside too, and what it made inside is not kept', async () => {
  writeFileSync(`${snapshot}-journal`, 'journal')
  await using room = await Room.open(folder, user)
  await room.admit(snapshot)
  rmSync(join(room.folder, `${databaseName}-journal`))
  writeFileSync(join(room.folder, `${databaseName}-wal`), 'new')
  await room.clear()
  expect(existsSync(`${snapshot}-journal`)).toBe(false)
  expect(existsSync(`${snapshot}-wal`)).toBe(false)
  expect(existsSync(snapshot)).toBe(true)
})

test('a child that was taken over cannot make us touch other files by names that it puts in its room', async () => {
  const other = join(folder, 'other')
  const otherFolder = join(folder, 'others')
  writeFileSync(other, 'precious', { mode: 0o640 })
  mkdirSync(otherFolder)
  writeFileSync(join(otherFolder, 'file'), 'precious')
  const before = statSync(other)
  {
    await using room = await Room.open(folder, user)
    await room.admit(snapshot)
    rmSync(join(room.folder, databaseName))
    symlinkSync(other, join(room.folder, databaseName))
    symlinkSync(otherFolder, join(room.folder, 'folder'))
  }
  expect([statSync(other).uid, statSync(other).mode, statSync(other).ctimeMs]).toEqual([before.uid, before.mode, before.ctimeMs])
  expect(readFileSync(join(otherFolder, 'file'), 'utf8')).toBe('precious')
  expect(readFileSync(snapshot, 'utf8')).toBe('main')
})

test('a snapshot that somebody removes while it is in a room is no trouble of the room', async () => {
  writeFileSync(`${snapshot}-wal`, 'wal')
  await using room = await Room.open(folder, user)
  await room.admit(snapshot)
  rmSync(snapshot)
  await room.clear()
  expect([readdirSync(room.folder), readFileSync(`${snapshot}-wal`, 'utf8'), statSync(`${snapshot}-wal`).uid]).toEqual([[], 'wal', process.getuid?.()])
})

test('a symlink is no snapshot', async () => {
  await using room = await Room.open(folder, user)
  symlinkSync(snapshot, join(folder, 'link'))
  await expect(room.admit(join(folder, 'link') as SnapshotPath)).rejects.toThrow('no regular file')
})

test('the module of a virtual table is found whatever its name', () => {
  expect([
    'CREATE VIRTUAL TABLE notes USING fts5(a)', 'create virtual table "a using rtree(" using\n fts4', "CREATE VIRTUAL TABLE main.'x' USING \"my \"\"module\"\"\"(1)",
    'CREATE VIRTUAL TABLE [a b] USING[rtree](id)', 'CREATE TABLE x(a)', '', 'CREATE VIRTUAL TABLE x USING',
  ].map((sql) => moduleOf(sql))).toEqual(['fts5', 'fts4', 'my "module"', 'rtree', null, null, null])
})
