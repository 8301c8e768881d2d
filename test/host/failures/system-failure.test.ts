/** Errors of the system as failures: code, path, errno in words, and advice that fits. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isSystemError, systemFailure, unforeseenFailure } from '../../../src/host/failures/system-failure.ts'
import { SystemCallError } from '../../../src/host/libc.ts'
import { Failure } from '../../../src/model/failure.ts'

const isRoot = process.getuid?.() === 0
let top = ''
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'system-failure-'))
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

const failureOf = (name: keyof typeof constants.errno, path = '/srv/x'): Failure =>
  systemFailure(new SystemCallError('open', constants.errno[name]), {
    doing: 'write',
    path,
    elsewhere: 'name another with --there DIR',
  }) as Failure

test.each([
  ['ENOSPC', 'NO_SPACE', /no space left on device/, /df -h \/srv\/x.*--there DIR/],
  ['EDQUOT', 'NO_SPACE', /disk quota exceeded/, /quota.*--there DIR/],
  ['EROFS', 'NO_PERMISSION', /read-only file system/, /findmnt -T \/srv\/x.*--there DIR/],
  ['EFBIG', 'READ_FAILED', /file too large/, /the disk is not full.*ulimit -f/],
  ['EIO', 'READ_FAILED', /i\/o error/, /dmesg/],
  ['EMFILE', 'READ_FAILED', /too many open files/, /ulimit -n/],
  ['ENFILE', 'READ_FAILED', /file table overflow/, /fs\.file-max/],
  ['ENOMEM', 'READ_FAILED', /not enough memory/, /MemoryMax/],
  ['EAGAIN', 'READ_FAILED', /resource temporarily unavailable/, /ulimit -u/],
  ['ELOOP', 'NOT_FOUND', /too many symbolic links/, /namei -l \/srv\/x/],
  ['ENOTDIR', 'NOT_FOUND', /not a directory/, /namei -l \/srv\/x/],
  ['ENAMETOOLONG', 'NOT_FOUND', /name too long/, /shorter/],
  ['ENOENT', 'NOT_FOUND', /no such file/, /check the path/],
  ['ESTALE', 'READ_FAILED', /stale file handle/, /mount it again/],
  ['ENXIO', 'NOT_A_FILE', /no such device or address/, /regular file/],
  ['ENODEV', 'READ_FAILED', /no such device/, /check the mount/],
  ['ETXTBSY', 'READ_FAILED', /text file is busy/, /program/],
  ['EBUSY', 'READ_FAILED', /resource busy/, /something else uses it/],
  ['EINTR', 'READ_FAILED', /interrupted system call/, /run again/],
  ['EOPNOTSUPP', 'READ_FAILED', /operation not supported/, /sandbox/],
  ['ENOLCK', 'READ_FAILED', /no locks available/, /lock service/],
] as const)('%s is %s in words, with what helps', (name, code, words, hint) => {
  const failure = failureOf(name)
  expect(failure).toMatchObject({
    code,
    message: expect.stringMatching(words) as string,
    hint: expect.stringMatching(hint) as string,
  })
  expect(failure.message).toMatch(new RegExp(`^cannot write /srv/x: .* \\(${name}\\)$`))
  expect(`${failure.message} ${failure.hint}`.includes('disk') && /limit/.test(failure.hint)).toBe(name === 'EFBIG')
})

test('every errno of this system has a failure, and no hint of one for root says "as root"', () => {
  for (const name of Object.keys(constants.errno) as (keyof typeof constants.errno)[]) {
    const failure = failureOf(name)
    expect(failure).toBeInstanceOf(Failure)
    if (isRoot) expect(failure.hint).not.toMatch(/or as root/)
  }
})

test('errors of node:fs keep their own path where none is told, and EDQUOT its name though Node has none', () => {
  const thrown = (): unknown => {
    try {
      return openSync(join(top, 'none'), 'r')
    } catch (error) {
      return error
    }
  }
  expect(unforeseenFailure(thrown())).toMatchObject({
    code: 'NOT_FOUND',
    message: `cannot go on: the system refused open of ${top}/none: no such file or directory (ENOENT)`,
  })
  const quota = Object.assign(new Error('Unknown system error -122'), {
    errno: -122,
    code: 'Unknown system error -122',
    syscall: 'write',
  })
  expect(unforeseenFailure(quota)).toMatchObject({
    code: 'NO_SPACE',
    message: 'cannot go on: the system refused write: disk quota exceeded (EDQUOT)',
  })
})

test('a code of its own holds for every errno, that of the path only where the path is at fault', () => {
  const failed = (errno: number, more: object): unknown =>
    systemFailure(new SystemCallError('open', errno), { doing: 'read', path: '/srv/x', ...more })
  const { EMFILE, ENOENT } = constants.errno
  expect(failed(EMFILE, { code: 'LEDGER_UNUSABLE' })).toMatchObject({
    code: 'LEDGER_UNUSABLE',
    hint: expect.stringMatching(/ulimit -n/) as string,
  })
  expect(failed(EMFILE, { pathCode: 'CONFIG_INVALID' })).toMatchObject({ code: 'READ_FAILED' })
  expect(failed(ENOENT, { pathCode: 'CONFIG_INVALID' })).toMatchObject({ code: 'CONFIG_INVALID' })
})

test('what is a defect of ours, or a failure already, is passed on as it is', () => {
  for (const error of [
    new TypeError('x is not a function'),
    new Failure('IN_USE', 'used'),
    null,
    Object.assign(new Error('m'), { code: 'ELOCKED' }),
  ]) {
    expect([isSystemError(error), unforeseenFailure(error)]).toEqual([false, error])
  }
})

const cannotChattr = ((): boolean => {
  if (!isRoot) return true
  const file = join(mkdtempSync(join(tmpdir(), 'system-failure-')), 'file')
  try {
    writeFileSync(file, '')
    execFileSync('chattr', ['+i', file], { stdio: 'ignore' })
    execFileSync('chattr', ['-i', file])
    return false
  } catch {
    return true
  }
})()

test.skipIf(cannotChattr)(
  'to root an immutable file, and one in an immutable folder, is named so, with the command',
  () => {
    const file = join(top, 'file')
    const folder = join(top, 'folder')
    writeFileSync(file, '')
    mkdirSync(folder)
    execFileSync('chattr', ['+i', file, folder])
    try {
      expect(failureOf('EPERM', file)).toMatchObject({
        code: 'NO_PERMISSION',
        hint: expect.stringContaining(`chattr -i ${file}`) as string,
      })
      expect(failureOf('EPERM', join(folder, 'new')).hint).toContain(`${folder} is immutable`)
      expect(failureOf('EPERM', top).hint).not.toContain('immutable')
    } finally {
      execFileSync('chattr', ['-i', file, folder])
    }
  },
)

test.skipIf(isRoot)('a folder that may not be entered is named (not as root)', () => {
  const closed = join(top, 'closed')
  mkdirSync(closed)
  chmodSync(closed, 0)
  expect(failureOf('EACCES', join(closed, 'a', 'b')).hint).toContain(`may not enter the folder ${closed}`)
  chmodSync(closed, 0o700)
})
