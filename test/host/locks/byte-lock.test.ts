import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDescriptor, type Descriptor } from '../../../src/host/files/descriptor.ts'
import { SystemCallError } from '../../../src/host/libc.ts'
import { findConflict, tryLock, tryPosixLock, unlock } from '../../../src/host/locks/byte-lock.ts'
import { startOtherProcess, temporaryFolder, type OtherProcess } from '../../support/host/other-process.ts'

const lockBytes = { start: 0x40000000, length: 512 }
let folder: ReturnType<typeof temporaryFolder>
let otherProcess: OtherProcess
let file: string
let ours: Descriptor

beforeEach(async () => {
  folder = temporaryFolder()
  file = folder.file('a.db')
  const db = new Database(file)
  db.exec('create table t(x); insert into t values(1)')
  db.close()
  otherProcess = await startOtherProcess()
  ours = openDescriptor(file, 'read-write')
})
afterEach(async () => {
  ours.close()
  await otherProcess[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

test(
  'F1: the POSIX lock of SQLite is dropped by an unrelated open and ' +
    'close in its process, and the next writer gets in',
  async () => {
    const db = new Database(file)
    db.exec('begin exclusive')
    expect(await otherProcess.do({ do: 'sql', path: file, sql: 'insert into t values(2)' })).toBe('SQLITE_BUSY')
    closeSync(openSync(file, 'r'))
    expect(await otherProcess.do({ do: 'sql', path: file, sql: 'insert into t values(2)' })).toBe('1 changed')
    db.close()
  },
)

test(
  'F2, I1.2: a lock on the lock bytes refuses readers and writers of ' +
    'real SQLite in another process until it is given up',
  async () => {
    expect(await otherProcess.do({ do: 'sql', path: file, sql: 'select x from t' })).toBe('[{"x":1}]')
    expect(tryLock(ours.number, 'write', lockBytes)).toBe('granted')
    expect(await otherProcess.do({ do: 'sql', path: file, sql: 'insert into t values(2)' })).toBe('SQLITE_BUSY')
    expect(await otherProcess.do({ do: 'sql', path: file, sql: 'select x from t' })).toBe('SQLITE_BUSY')
    unlock(ours.number, lockBytes)
    expect(await otherProcess.do({ do: 'sql', path: file, sql: 'insert into t values(2)' })).toBe('1 changed')
  },
)

test('F2: the lock survives an unrelated open and close in our process', async () => {
  expect(tryLock(ours.number, 'write', lockBytes)).toBe('granted')
  closeSync(openSync(file, 'r+'))
  expect(await otherProcess.do({ do: 'sql', path: file, sql: 'insert into t values(2)' })).toBe('SQLITE_BUSY')
})

test('the lock ends with its descriptor', async () => {
  expect(tryLock(ours.number, 'write', lockBytes)).toBe('granted')
  ours.close()
  expect(await otherProcess.do({ do: 'sql', path: file, sql: 'insert into t values(2)' })).toBe('1 changed')
})

test('a lock of either kind in another process refuses ours; a POSIX conflict names the process', async () => {
  const descriptor = await otherProcess.open(file, 'write')
  await otherProcess.do({ do: 'lock', descriptor, owner: 'posix', kind: 'write', start: lockBytes.start, length: 1 })
  expect(tryLock(ours.number, 'write', lockBytes)).toBe('refused')
  expect(findConflict(ours.number, 'write', lockBytes)).toEqual({
    kind: 'write',
    range: { start: lockBytes.start, length: 1 },
    owner: 'process',
    pid: otherProcess.pid,
  })
  await otherProcess.do({ do: 'close', descriptor })
  expect(findConflict(ours.number, 'write', lockBytes)).toBeNull()

  const other = await otherProcess.open(file, 'write')
  await otherProcess.do({
    do: 'lock',
    descriptor: other,
    owner: 'description',
    kind: 'read',
    start: lockBytes.start + 2,
    length: 510,
  })
  expect(tryLock(ours.number, 'read', lockBytes)).toBe('granted')
  expect(tryLock(ours.number, 'write', lockBytes)).toBe('refused')
  expect(findConflict(ours.number, 'write', lockBytes)).toEqual({
    kind: 'read',
    range: { start: lockBytes.start + 2, length: 510 },
    owner: 'description',
    pid: null,
  })
})

test('I1.2: both kinds of raw lock in a second process are refused by ours', async () => {
  expect(tryLock(ours.number, 'write', lockBytes)).toBe('granted')
  const descriptor = await otherProcess.open(file, 'write')
  for (const owner of ['posix', 'description'] as const) {
    for (const kind of ['read', 'write'] as const) {
      expect(await otherProcess.do({ do: 'lock', descriptor, owner, kind, ...lockBytes })).toBe('refused')
    }
  }
  expect(
    await otherProcess.do({
      do: 'lock',
      descriptor,
      owner: 'posix',
      kind: 'write',
      start: lockBytes.start - 1,
      length: 1,
    }),
  ).toBe('granted')
})

test('two openings in one process exclude each other, so our own double work is noticed too', async () => {
  using second = openDescriptor(file, 'read-write')
  expect(tryLock(ours.number, 'write', lockBytes)).toBe('granted')
  expect(tryLock(second.number, 'read', lockBytes)).toBe('refused')
  expect(tryPosixLock(second.number, 'read', lockBytes)).toBe('refused')
})

test('unlocking what is not locked is fine, and part of a range can be given up', async () => {
  unlock(ours.number, lockBytes)
  expect(tryLock(ours.number, 'write', { start: 100, length: 10 })).toBe('granted')
  unlock(ours.number, { start: 104, length: 2 })
  const descriptor = await otherProcess.open(file, 'write')
  const ask = (start: number) =>
    otherProcess.do({ do: 'lock', descriptor, owner: 'description', kind: 'write', start, length: 1 })
  expect([await ask(103), await ask(104), await ask(105), await ask(106)]).toEqual([
    'refused',
    'granted',
    'granted',
    'refused',
  ])
})

test('offsets beyond 32 bits are kept', async () => {
  const far = { start: 2 ** 40 + 7, length: 3 }
  expect(tryLock(ours.number, 'write', far)).toBe('granted')
  using second = openDescriptor(file, 'read-write')
  expect(findConflict(second.number, 'read', { start: 0, length: 0 })).toEqual({
    kind: 'write',
    owner: 'description',
    range: far,
    pid: null,
  })
})

test('an error that is no refusal is thrown: a write lock on a read-only descriptor, a closed descriptor', async () => {
  using readOnly = openDescriptor(file, 'read-only')
  expect(() => tryLock(readOnly.number, 'write', lockBytes)).toThrow(
    expect.objectContaining({ name: 'SystemCallError', call: 'fcntl', code: 'EBADF', errno: 9 }),
  )
  expect(() => tryLock(987_654, 'write', lockBytes)).toThrow(SystemCallError)
})
