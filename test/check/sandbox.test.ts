import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { confinedUser } from '../../src/check/confinement.ts'
import { recoveredName } from '../../src/check/protocol.ts'
import { moduleOf } from '../../src/check/reader/schema/virtual-table-module.ts'
import { Sandbox } from '../../src/check/sandbox.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { keptFile, type KeptFiles } from '../../src/model/kept.ts'
import { startNode } from '../support/processes.ts'

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
  await using room = await Sandbox.open(folder, user)
  await room.link(snapshot)
  expect(readdirSync(room.folder).toSorted()).toEqual([recoveredName, `${recoveredName}-wal`])
  expect(statSync(room.folder).mode & 0o777).toBe(0o700)
  expect(readFileSync(snapshot, 'utf8')).toBe('main')
  if (user !== null) expect(statSync(snapshot).uid).toBe(user.uid)
  await room.clear()
  expect(readdirSync(room.folder)).toEqual([])
  expect([statSync(snapshot).uid, statSync(snapshot).mode & 0o777, statSync(snapshot).nlink]).toEqual([
    process.getuid?.(),
    0o600,
    1,
  ])
  expect(readFileSync(`${snapshot}-wal`, 'utf8')).toBe('wal')
})

test('what SQLite removed inside goes outside too, and what it made inside is not kept', async () => {
  writeFileSync(`${snapshot}-journal`, 'journal')
  await using room = await Sandbox.open(folder, user)
  await room.link(snapshot)
  rmSync(join(room.folder, `${recoveredName}-journal`))
  writeFileSync(join(room.folder, `${recoveredName}-wal`), 'new')
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
    await using room = await Sandbox.open(folder, user)
    await room.link(snapshot)
    rmSync(join(room.folder, recoveredName))
    symlinkSync(other, join(room.folder, recoveredName))
    symlinkSync(otherFolder, join(room.folder, 'folder'))
  }
  expect([statSync(other).uid, statSync(other).mode, statSync(other).ctimeMs]).toEqual([
    before.uid,
    before.mode,
    before.ctimeMs,
  ])
  expect(readFileSync(join(otherFolder, 'file'), 'utf8')).toBe('precious')
  expect(readFileSync(snapshot, 'utf8')).toBe('main')
})

test('a snapshot that somebody removes while it is in a room is no trouble of the room', async () => {
  writeFileSync(`${snapshot}-wal`, 'wal')
  await using room = await Sandbox.open(folder, user)
  await room.link(snapshot)
  rmSync(snapshot)
  await room.clear()
  expect([readdirSync(room.folder), readFileSync(`${snapshot}-wal`, 'utf8'), statSync(`${snapshot}-wal`).uid]).toEqual([
    [],
    'wal',
    process.getuid?.(),
  ])
})

test('a symlink is no snapshot', async () => {
  await using room = await Sandbox.open(folder, user)
  symlinkSync(snapshot, join(folder, 'link'))
  await expect(room.link(join(folder, 'link') as SnapshotPath)).rejects.toThrow('no regular file')
})

describe.skipIf(user === null)('beside a child that was taken over (skipped unless root)', () => {
  test.each([{ rooted: true }, { rooted: false }])(
    'the room is taken back before it is looked into, and nothing is ' +
      'deleted by a name that it swaps (its root: $rooted)',
    async ({ rooted }) => {
      chmodSync(top, 0o755)
      chmodSync(folder, 0o755)
      const victim = join(top, `victim-${rooted}`)
      mkdirSync(join(victim, 'below/below'), { recursive: true, mode: 0o755 })
      for (let i = 0; i < 20; i++) writeFileSync(join(victim, `file-${i}`), 'precious')
      const before = stateOf(victim)
      const room = await Sandbox.open(folder, user)
      await using child = startNode('test/support/programs/taken-over.ts', [
        JSON.stringify({ room: room.folder, victim, rooted, ...user }),
      ])
      await child.ready
      for (let i = 0; i < 5; i++) {
        await room.link(snapshot)
        await room.clear()
      }
      await room[Symbol.asyncDispose]()
      if (rooted) expect((await child.ended).signal).toBe('SIGKILL')
      expect(stateOf(victim)).toEqual(before)
      expect(readdirSync(folder)).toEqual([basename(snapshot)])
      expect([statSync(snapshot).uid, statSync(snapshot).mode & 0o777, readFileSync(snapshot, 'utf8')]).toEqual([
        0,
        0o600,
        'main',
      ])
    },
  )

  test('a name that it keeps in the way lets no snapshot in, and the next finds the room empty', async () => {
    await using room = await Sandbox.open(folder, user)
    mkdirSync(join(room.folder, recoveredName))
    await expect(room.link(snapshot)).rejects.toMatchObject({ code: 'READ_FAILED' })
    await room.clear()
    await room.link(snapshot)
    expect(readdirSync(room.folder)).toEqual([recoveredName])
  })
})

const stateOf = (path: string): readonly string[] =>
  ['', ...readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted()].map((name) => {
    const { uid, mode, ctimeNs } = lstatSync(join(path, name), { bigint: true })
    return `${name} ${uid} ${mode} ${ctimeNs}`
  })

describe('only what was kept is let in', () => {
  const kept = (): KeptFiles =>
    new Map((['', '-wal'] as const).map((part) => [part, keptFile(statSync(snapshot + part, { bigint: true }))]))

  test('and what SQLite makes of it is what is kept from then on', async () => {
    writeFileSync(`${snapshot}-wal`, 'wal', { mode: 0o600 })
    const files = kept()
    await using room = await Sandbox.open(folder, user)
    await room.link(snapshot, files)
    appendFileSync(join(room.folder, recoveredName), ' and the WAL')
    rmSync(join(room.folder, `${recoveredName}-wal`))
    await room.clear()
    expect([...files.entries()]).toEqual([['', keptFile(statSync(snapshot, { bigint: true }))]])
    await room.link(snapshot, files)
  })

  test.each<[string, () => void]>([
    ['a WAL that is gone', () => rmSync(`${snapshot}-wal`)],
    [
      'a WAL that another file took the place of',
      () => {
        copyFileSync(`${snapshot}-wal`, `${snapshot}-new`)
        renameSync(`${snapshot}-new`, `${snapshot}-wal`)
      },
    ],
    ['a WAL that is shorter', () => truncateSync(`${snapshot}-wal`, 1)],
    ['a journal that came along', () => writeFileSync(`${snapshot}-journal`, '')],
    ['a database that is gone', () => rmSync(snapshot)],
    [
      'a FIFO',
      () => {
        rmSync(`${snapshot}-wal`)
        execFileSync('mkfifo', [`${snapshot}-wal`])
      },
    ],
  ])('%s is refused', async (_, change) => {
    writeFileSync(`${snapshot}-wal`, 'wal', { mode: 0o600 })
    const files = kept()
    change()
    await using room = await Sandbox.open(folder, user)
    await expect(room.link(snapshot, files)).rejects.toMatchObject({
      code: 'READ_FAILED',
      message: expect.stringContaining('is not what was copied') as string,
    })
    expect(readdirSync(room.folder)).toEqual([])
  })
})

test('the module of a virtual table is found whatever its name', () => {
  expect(
    [
      'CREATE VIRTUAL TABLE notes USING fts5(a)',
      'create virtual table "a using rtree(" using\n fts4',
      'CREATE VIRTUAL TABLE main.\'x\' USING "my ""module"""(1)',
      'CREATE VIRTUAL TABLE [a b] USING[rtree](id)',
      'CREATE TABLE x(a)',
      '',
      'CREATE VIRTUAL TABLE x USING',
    ].map((sql) => moduleOf(sql)),
  ).toEqual(['fts5', 'fts4', 'my "module"', 'rtree', null, null, null])
})
