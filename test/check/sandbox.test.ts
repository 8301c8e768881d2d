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
import { Sandbox } from '../../src/check/sandbox.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { keptFile, type KeptFiles } from '../../src/model/kept-file.ts'
import { startNode } from '../support/processes.ts'

const top = mkdtempSync(join(tmpdir(), 'sandbox-'))
afterAll(() => rmSync(top, { recursive: true }))
const user = confinedUser()

let folder: string
let snapshot: SnapshotPath
beforeEach(() => {
  folder = mkdtempSync(join(top, 'snapshots-'))
  snapshot = join(folder, "a 'strange'\n.db") as SnapshotPath
  writeFileSync(snapshot, 'main', { mode: 0o600 })
})

test('a snapshot in a sandbox keeps its name outside, so nothing is lost', async () => {
  writeFileSync(`${snapshot}-wal`, 'wal')
  await using sandbox = await Sandbox.open(folder, user)
  await sandbox.link(snapshot)
  expect(readdirSync(sandbox.folder).toSorted()).toEqual([recoveredName, `${recoveredName}-wal`])
  expect(statSync(sandbox.folder).mode & 0o777).toBe(0o700)
  expect(readFileSync(snapshot, 'utf8')).toBe('main')
  if (user !== null) expect(statSync(snapshot).uid).toBe(user.uid)
  await sandbox.clear()
  expect(readdirSync(sandbox.folder)).toEqual([])
  expect([statSync(snapshot).uid, statSync(snapshot).mode & 0o777, statSync(snapshot).nlink]).toEqual([
    process.getuid?.(),
    0o600,
    1,
  ])
  expect(readFileSync(`${snapshot}-wal`, 'utf8')).toBe('wal')
})

test('what SQLite deletes inside is deleted outside too, and what it makes inside is not kept', async () => {
  writeFileSync(`${snapshot}-journal`, 'journal')
  await using sandbox = await Sandbox.open(folder, user)
  await sandbox.link(snapshot)
  rmSync(join(sandbox.folder, `${recoveredName}-journal`))
  writeFileSync(join(sandbox.folder, `${recoveredName}-wal`), 'new')
  await sandbox.clear()
  expect(existsSync(`${snapshot}-journal`)).toBe(false)
  expect(existsSync(`${snapshot}-wal`)).toBe(false)
  expect(existsSync(snapshot)).toBe(true)
})

test('names that a child puts into its sandbox do not make us touch other files', async () => {
  const other = join(folder, 'other')
  const otherFolder = join(folder, 'others')
  writeFileSync(other, 'precious', { mode: 0o640 })
  mkdirSync(otherFolder)
  writeFileSync(join(otherFolder, 'file'), 'precious')
  const before = statSync(other)
  {
    await using sandbox = await Sandbox.open(folder, user)
    await sandbox.link(snapshot)
    rmSync(join(sandbox.folder, recoveredName))
    symlinkSync(other, join(sandbox.folder, recoveredName))
    symlinkSync(otherFolder, join(sandbox.folder, 'folder'))
  }
  expect([statSync(other).uid, statSync(other).mode, statSync(other).ctimeMs]).toEqual([
    before.uid,
    before.mode,
    before.ctimeMs,
  ])
  expect(readFileSync(join(otherFolder, 'file'), 'utf8')).toBe('precious')
  expect(readFileSync(snapshot, 'utf8')).toBe('main')
})

test('another program may delete a snapshot while it is in a sandbox', async () => {
  writeFileSync(`${snapshot}-wal`, 'wal')
  await using sandbox = await Sandbox.open(folder, user)
  await sandbox.link(snapshot)
  rmSync(snapshot)
  await sandbox.clear()
  expect([
    readdirSync(sandbox.folder),
    readFileSync(`${snapshot}-wal`, 'utf8'),
    statSync(`${snapshot}-wal`).uid,
  ]).toEqual([[], 'wal', process.getuid?.()])
})

test('a symbolic link is refused', async () => {
  await using sandbox = await Sandbox.open(folder, user)
  symlinkSync(snapshot, join(folder, 'link'))
  await expect(sandbox.link(join(folder, 'link') as SnapshotPath)).rejects.toThrow('no regular file')
})

describe.skipIf(user === null)('beside a child that was taken over (skipped unless root)', () => {
  test.each([{ rooted: true }, { rooted: false }])(
    'the sandbox is taken back before its folders are entered, and no ' +
      'swapped name makes us delete other files (its root: $rooted)',
    async ({ rooted }) => {
      chmodSync(top, 0o755)
      chmodSync(folder, 0o755)
      const victim = join(top, `victim-${rooted}`)
      mkdirSync(join(victim, 'below/below'), { recursive: true, mode: 0o755 })
      for (let i = 0; i < 20; i++) writeFileSync(join(victim, `file-${i}`), 'precious')
      const before = stateOf(victim)
      const sandbox = await Sandbox.open(folder, user)
      await using child = startNode('test/support/programs/taken-over.ts', [
        JSON.stringify({ folder: sandbox.folder, victim, rooted, ...user }),
      ])
      await child.ready
      for (let i = 0; i < 5; i++) {
        await sandbox.link(snapshot)
        await sandbox.clear()
      }
      await sandbox[Symbol.asyncDispose]()
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

  test('a name that it leaves in the way refuses one snapshot, and the next finds the sandbox empty', async () => {
    await using sandbox = await Sandbox.open(folder, user)
    mkdirSync(join(sandbox.folder, recoveredName))
    await expect(sandbox.link(snapshot)).rejects.toMatchObject({ code: 'READ_FAILED' })
    await sandbox.clear()
    await sandbox.link(snapshot)
    expect(readdirSync(sandbox.folder)).toEqual([recoveredName])
  })
})

const stateOf = (path: string): readonly string[] =>
  ['', ...readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted()].map((name) => {
    const { uid, mode, ctimeNs } = lstatSync(join(path, name), { bigint: true })
    return `${name} ${uid} ${mode} ${ctimeNs}`
  })

describe('only the files that were kept are linked', () => {
  const kept = (): KeptFiles =>
    new Map((['', '-wal'] as const).map((part) => [part, keptFile(statSync(snapshot + part, { bigint: true }))]))

  test('what SQLite makes of them is kept from then on', async () => {
    writeFileSync(`${snapshot}-wal`, 'wal', { mode: 0o600 })
    const files = kept()
    await using sandbox = await Sandbox.open(folder, user)
    await sandbox.link(snapshot, files)
    appendFileSync(join(sandbox.folder, recoveredName), ' and the WAL')
    rmSync(join(sandbox.folder, `${recoveredName}-wal`))
    await sandbox.clear()
    expect([...files.entries()]).toEqual([['', keptFile(statSync(snapshot, { bigint: true }))]])
    await sandbox.link(snapshot, files)
  })

  test.each<[string, () => void]>([
    ['a WAL that is gone', () => rmSync(`${snapshot}-wal`)],
    [
      'a WAL that was replaced by another file',
      () => {
        copyFileSync(`${snapshot}-wal`, `${snapshot}-new`)
        renameSync(`${snapshot}-new`, `${snapshot}-wal`)
      },
    ],
    ['a WAL that is shorter', () => truncateSync(`${snapshot}-wal`, 1)],
    ['a journal that is new', () => writeFileSync(`${snapshot}-journal`, '')],
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
    await using sandbox = await Sandbox.open(folder, user)
    await expect(sandbox.link(snapshot, files)).rejects.toMatchObject({
      code: 'READ_FAILED',
      message: expect.stringContaining('is not what was copied') as string,
    })
    expect(readdirSync(sandbox.folder)).toEqual([])
  })
})
