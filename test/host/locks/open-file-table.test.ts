import { spawn } from 'node:child_process'
import { constants, existsSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDescriptor } from '../../../src/host/files/descriptor.ts'
import { tryLock } from '../../../src/host/locks/byte-lock.ts'
import type { FileIdentity } from '../../../src/host/locks/file-identity.ts'
import { leaseOf, takeWriteLease } from '../../../src/host/locks/kernel-lease.ts'
import { parseMaps } from '../../../src/host/locks/mappings.ts'
import { modesOf } from '../../../src/host/locks/open-descriptors.ts'
import { findHolders, findStoringMappings } from '../../../src/host/locks/open-file-table.ts'
import { parseLocks, type KernelLock } from '../../../src/host/locks/proc-locks.ts'
import type { Holder } from '../../../src/model/result/evidence.ts'
import { mount, whyNoMount } from '../../support/host/mounts.ts'
import { startOtherProcess, temporaryFolder, type OtherProcess } from '../../support/host/other-process.ts'
import { eventually } from '../../support/processes.ts'

let folder: ReturnType<typeof temporaryFolder>
let otherProcess: OtherProcess
let file: FileIdentity

beforeEach(async () => {
  folder = temporaryFolder()
  file = newFile(folder.file('a b\\c\nd.db'))
  otherProcess = await startOtherProcess()
})
afterEach(async () => {
  await otherProcess[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

function newFile(path: string): FileIdentity {
  writeFileSync(path, Buffer.alloc(8192))
  const { dev, ino } = statSync(path, { bigint: true })
  return { path, dev, ino }
}

const holdersOf = async (...files: readonly FileIdentity[]): Promise<readonly Holder[]> =>
  (await findHolders(files, { exceptPids: [process.pid], until: AbortSignal.timeout(60_000) })).holders
const entry = (modes: Holder['modes'], path = file.path): Holder => ({
  pid: otherProcess.pid,
  command: 'node other-process.ts',
  modes,
  path,
})

test('a file that no process opened has no holder', async () => {
  expect(await holdersOf(file)).toEqual([])
})

test('I1.3: those who read and those who write are told apart, by pid and command', async () => {
  const reader = await otherProcess.open(file.path, 'read')
  expect(await holdersOf(file)).toEqual([entry(['read'])])
  await otherProcess.do({ do: 'close', descriptor: reader })
  const writer = await otherProcess.do({ do: 'open', path: file.path, flags: constants.O_WRONLY })
  expect(await holdersOf(file)).toEqual([entry(['write'])])
  await otherProcess.do({ do: 'close', descriptor: Number(writer) })
  await otherProcess.open(file.path, 'write')
  expect(await holdersOf(file)).toEqual([entry(['read', 'write'])])
})

test.each(['shared', 'private'] as const)(
  'I1.3: a %s mapping is seen after its descriptor is closed, also once the name is gone',
  async (how) => {
    const descriptor = await otherProcess.open(file.path, 'write')
    await otherProcess.do({ do: 'map', descriptor, bytes: 8192, how })
    await otherProcess.do({ do: 'close', descriptor })
    expect(await holdersOf(file)).toEqual([entry(['mapped'])])
    unlinkSync(file.path)
    expect(await holdersOf(file)).toEqual([entry(['mapped'])])
  },
)

test('an open file is seen once its name is gone, and a new file of that name is not taken for it', async () => {
  await otherProcess.open(file.path, 'read')
  unlinkSync(file.path)
  const successor = newFile(file.path)
  expect(await holdersOf(file)).toEqual([entry(['read'])])
  expect(successor.ino === file.ino ? [] : await holdersOf(successor)).toEqual([])
})

test('if the kernel prints another device for a mapping than stat, as on btrfs, inode and path decide', async () => {
  const onBtrfs = { ...file, dev: file.dev + 1n }
  const descriptor = await otherProcess.open(file.path, 'write')
  await otherProcess.do({ do: 'map', descriptor, bytes: 8192, how: 'shared' })
  // The descriptor is not taken for it: its stat says another device.
  expect(await holdersOf(onBtrfs)).toEqual([entry(['mapped'])])
  expect(await holdersOf({ ...onBtrfs, path: folder.file('other.db') })).toEqual([])
})

test('a file opened under another name is seen', async () => {
  symlinkSync(file.path, folder.file('link'))
  await otherProcess.open(folder.file('link'), 'read')
  expect(await holdersOf(file)).toEqual([entry(['read'])])
})

test.each(['posix', 'description'] as const)('a lock of the %s kind is seen', async (owner) => {
  const descriptor = await otherProcess.open(file.path, 'write')
  await otherProcess.do({ do: 'lock', descriptor, owner, kind: 'write', start: 120, length: 8 })
  expect(await holdersOf(file)).toEqual([entry(['read', 'write', 'lock'])])
})

test('a lease is seen', async () => {
  const descriptor = await otherProcess.open(file.path, 'write')
  expect(await otherProcess.do({ do: 'lease', descriptor })).toBe('granted')
  expect(await holdersOf(file)).toEqual([entry(['read', 'write', 'lease'])])
})

test('real SQLite that holds a transaction is named with each file of its live set', async () => {
  const path = folder.file('w.db')
  newFile(path)
  writeFileSync(path, '')
  expect(await otherProcess.do({ do: 'sql-keep', path, sql: 'pragma journal_mode=wal' })).toContain('wal')
  expect(await otherProcess.do({ do: 'sql-keep', path, sql: 'create table t(x)' })).toContain('changed')
  const files = ['', '-wal', '-shm'].map((part) => ({
    path: path + part,
    dev: statSync(path + part, { bigint: true }).dev,
    ino: statSync(path + part, { bigint: true }).ino,
  }))
  const holders = await holdersOf(...files)
  expect(holders.map(({ path }) => path).sort()).toEqual(files.map(({ path }) => path).sort())
  expect(holders.find(({ path }) => path.endsWith('-shm'))?.modes).toContain('mapped')
  expect(holders.every(({ pid }) => pid === otherProcess.pid)).toBe(true)
})

test('a mapping through which a process may change the file is told from the mappings of SQLite', async () => {
  const findStoring = async (one: FileIdentity): Promise<readonly Holder[]> =>
    findStoringMappings(one, (await findHolders([one], { exceptPids: [], until: AbortSignal.timeout(60_000) })).holders)
  const path = folder.file('mapped.db')
  writeFileSync(path, '')
  await otherProcess.do({ do: 'sql-keep', path, sql: 'create table t(x)' })
  const connection = await otherProcess.do({ do: 'connect', path, timeoutMs: 0 })
  for (const sql of ['pragma mmap_size = 1000000', 'select count(*) from t'])
    await otherProcess.do({ do: 'statement', connection: Number(connection), sql })
  const { dev, ino } = statSync(path, { bigint: true })
  const database = { path, dev, ino }
  expect((await findHolders([database], { exceptPids: [], until: AbortSignal.timeout(60_000) })).holders).toMatchObject(
    [{ pid: otherProcess.pid }],
  )
  expect(readFileSync(`/proc/${otherProcess.pid}/maps`, 'utf8')).toMatch(new RegExp(`r--s .*${path}`))
  expect(await findStoring(database)).toEqual([])

  const descriptor = await otherProcess.open(file.path, 'write')
  expect(await otherProcess.do({ do: 'map', descriptor, bytes: 4096, how: 'private' })).toBe('mapped')
  expect(await findStoring(file)).toEqual([])
  expect(await otherProcess.do({ do: 'map', descriptor, bytes: 4096, how: 'shared' })).toBe('mapped')
  await otherProcess.do({ do: 'close', descriptor })
  expect(await findStoring(file)).toEqual([entry(['mapped'])])
})

test('processes that are excepted are left out, with their locks and leases', async () => {
  using ours = openDescriptor(file.path, 'read-write')
  tryLock(ours.number, 'write', { start: 0, length: 0 })
  expect(takeWriteLease(ours.number)).toEqual({ kind: 'granted' })
  expect(await holdersOf(file)).toEqual([])
  expect((await findHolders([file], { exceptPids: [], until: AbortSignal.timeout(60_000) })).holders).toMatchObject([
    { pid: process.pid, modes: ['read', 'write', 'lock', 'lease'] },
  ])
})

test('F5: looking breaks no lease', async () => {
  using ours = openDescriptor(file.path, 'read-write')
  takeWriteLease(ours.number)
  await holdersOf(file)
  expect(leaseOf(ours.number)).toBe('write')
})

test.skipIf(process.geteuid?.() !== 0)(
  'what could not be looked at is said (as root, who can become another user)',
  async () => {
    await otherProcess.open(file.path, 'read')
    process.seteuid?.(65_534)
    try {
      const { holders, unseen } = await findHolders([file], { exceptPids: [], until: AbortSignal.timeout(60_000) })
      expect(holders).toEqual([])
      expect(unseen.join()).toMatch(/the open files of \d+ processes of other users .*\(pids? \d+/)
    } finally {
      process.seteuid?.(0)
    }
  },
)

test('a search that must end says what it has not seen, and waits for no process, nor for its name', async () => {
  const descriptor = await otherProcess.open(file.path, 'write')
  const search = () => findHolders([file], { exceptPids: [], until: AbortSignal.abort() })
  expect((await search()).unseen).toContain('processes that there was no time to examine')
  await otherProcess.do({ do: 'lock', descriptor, owner: 'posix', kind: 'write', start: 120, length: 8 })
  expect((await search()).holders).toEqual([{ ...entry(['lock']), command: '?' }])
})

const withoutFirstThread = `
import ctypes, os, sys, threading, time
fd = os.open(sys.argv[1], os.O_RDWR)
threading.Thread(target=lambda: time.sleep(60)).start()
print('ready', flush=True)
ctypes.CDLL(None).pthread_exit(None)`

test.skipIf(!existsSync('/usr/bin/python3'))(
  'a process whose first thread has ended is seen through the others (with python3)',
  async () => {
    const other = spawn('python3', ['-c', withoutFirstThread, file.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await new Promise((resolve) => {
        other.stdout.once('data', resolve)
      })
      await eventually('its first thread is a zombie', () =>
        readFileSync(`/proc/${other.pid}/stat`, 'latin1').includes(') Z '),
      )
      expect(await holdersOf(file)).toMatchObject([{ pid: other.pid, modes: ['read', 'write'] }])
    } finally {
      other.kill('SIGKILL')
    }
  },
)

describe('on an overlay, where device numbers differ', () => {
  const why = whyNoMount('overlay')
  test.skipIf(why !== null)(
    `descriptors and mappings are seen, from below and from above${why === null ? '' : ` (skipped: ${why})`}`,
    async () => {
      using mounted = mount('overlay', 0)
      const above = newFile(`${mounted.path}/new.bin`)
      const { dev, ino } = statSync(`${mounted.path}/below.bin`, { bigint: true })
      const below = { path: `${mounted.path}/below.bin`, dev, ino }
      for (const each of [above, below]) {
        const descriptor = await otherProcess.open(each.path, 'read')
        await otherProcess.do({ do: 'map', descriptor, bytes: 4096, how: 'private' })
        expect(await holdersOf(each)).toEqual([entry(['read', 'mapped'], each.path)])
        await otherProcess.do({ do: 'close', descriptor })
        expect(await holdersOf(each)).toEqual([entry(['mapped'], each.path)])
      }
      await otherProcess[Symbol.asyncDispose]() // It holds the mount.
    },
  )
})

test('modes are read from the flags and locks of a descriptor', () => {
  expect(modesOf('pos:\t0\nflags:\t0100000\nmnt_id:\t27\nino:\t5\n')).toEqual(['read'])
  expect(modesOf('flags:\t02100001\n')).toEqual(['write'])
  expect(
    modesOf(
      'flags:\t0100002\nlock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:5 0 ' +
        'EOF\nlock:\t2: LEASE  ACTIVE    WRITE 7 fe:00:5 0 EOF\n',
    ),
  ).toEqual(['read', 'write', 'lock', 'lease'])
})

test('mappings are read with every kind of path, and memory without a file is left out', () => {
  expect(
    parseMaps(
      [
        '7f00-7f10 rw-s 00000000 fe:01 1234                       /srv/a b.db (deleted)',
        '7f10-7f20 r-xp 00000000 00:19 99                         /usr/lib/x',
        '7f20-7f30 rw-p 00000000 00:00 0                          [heap]',
        '7f30-7f40 rw-p 00000000 00:00 0',
        '7f40-7f50 r--s 00000000 fe:01 12                         /srv/new\\012line',
        '7f50-7f60 r--s 00000000 fe:01 13                         /srv/a\r7f60-7f70 rw-s 0 fe:01 14 /srv/b\u2028',
      ].join('\n'),
    ),
  ).toEqual([
    { addresses: '7f00-7f10', stores: true, device: '254:1', ino: 1234n, path: '/srv/a b.db (deleted)' },
    { addresses: '7f10-7f20', stores: false, device: '0:25', ino: 99n, path: '/usr/lib/x' },
    { addresses: '7f40-7f50', stores: false, device: '254:1', ino: 12n, path: '/srv/new\\012line' },
    {
      addresses: '7f50-7f60',
      stores: false,
      device: '254:1',
      ino: 13n,
      path: '/srv/a\r7f60-7f70 rw-s 0 fe:01 14 /srv/b\u2028',
    },
  ])
})

const lock = (fields: Partial<KernelLock>): Partial<KernelLock> => ({
  kind: 'lock',
  owner: 'process',
  access: 'write',
  pid: null,
  first: 0,
  last: Infinity,
  ...fields,
})

test('locks are read with their owners; those who wait are left out', () => {
  expect(
    parseLocks(
      [
        '1: POSIX  ADVISORY  WRITE 1234 fe:00:77 1073741824 1073742335',
        '1: -> POSIX  ADVISORY  WRITE 1235 fe:00:77 0 EOF',
        '2: OFDLCK ADVISORY  READ -1 00:19:5 0 EOF',
        '3: LEASE  ACTIVE    WRITE 8 fe:00:78 0 EOF',
        '4: FLOCK  ADVISORY  WRITE 0 fe:00:79 0 EOF',
      ].join('\n'),
    ),
  ).toEqual([
    lock({ pid: 1234, device: '254:0', ino: 77n, first: 1073741824, last: 1073742335 }),
    lock({ owner: 'description', access: 'read', device: '0:25', ino: 5n }),
    lock({ kind: 'lease', pid: 8, device: '254:0', ino: 78n }),
    lock({ device: '254:0', ino: 79n }),
  ])
})
