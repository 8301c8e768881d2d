/** A file that others read while it is written anew. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { replaceFile } from '../../../src/host/files/replace-file.ts'
import { makeDatabase } from '../../support/cli/folder.ts'
import { mount, whySkipped, whyNoMount } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { attackingUser } from '../../support/shared-folder.ts'

const isRoot = process.geteuid?.() === 0
const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8)
const failing = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error

test(
  'a new file is for all to read, whatever the mask; one that is there ' +
    'keeps its mode, and its reader what it has open',
  () => {
    using folder = temporaryFolder()
    const file = folder.file('status')
    const mask = process.umask(0o077)
    try {
      replaceFile(file, 'first')
      expect([readFileSync(file, 'utf8'), modeOf(file)]).toEqual(['first', '644'])
      chmodSync(file, 0o640)
      const reader = openSync(file, 'r')
      const before = statSync(file).ino
      replaceFile(file, 'second, and longer')
      expect([readFileSync(reader, 'utf8'), readFileSync(file, 'utf8'), modeOf(file)]).toEqual([
        'first',
        'second, and longer',
        '640',
      ])
      expect(statSync(file).ino).not.toBe(before)
      closeSync(reader)
    } finally {
      process.umask(mask)
    }
    expect(readdirSync(folder.path)).toEqual(['status'])
  },
)

test('a name is taken as it is: not UTF-8, in the current folder, as long as a name can be', () => {
  using folder = temporaryFolder()
  replaceFile(folder.file('a\udcffb'), 'text')
  replaceFile(folder.file('n'.repeat(255)), 'text')
  expect(
    readdirSync(folder.path, 'buffer')
      .map((name) => name.toString('latin1'))
      .toSorted(),
  ).toEqual(['a\u00ffb', 'n'.repeat(255)])
})

test('links, folders, pipes, sockets, devices and files of SQLite are refused by name, and unchanged', async () => {
  using folder = temporaryFolder()
  const target = folder.file('target')
  writeFileSync(target, 'kept')
  symlinkSync(target, folder.file('link'))
  symlinkSync(folder.file('nothing'), folder.file('dangling'))
  mkdirSync(folder.file('folder'))
  spawnSync('mkfifo', [folder.file('pipe')])
  const socket = createServer().listen(folder.file('socket'))
  await new Promise((resolve) => {
    socket.once('listening', resolve)
  })
  const live = makeDatabase(folder.file('app.db'), { wal: true })
  const database = new Database(live)
  database.exec('DELETE FROM notes WHERE id = 1')
  writeFileSync(folder.file('broken.db'), readFileSync(live).fill(0xff, 0, 100))
  const names = readdirSync(folder.path)
  const refused = {
    link: /symbolic link/,
    dangling: /symbolic link/,
    folder: /is a folder/,
    'folder/': /is a folder/,
    'folder/..': /is a folder/,
    pipe: /is a pipe/,
    socket: /is a socket/,
    'app.db': /is a database/,
    'app.db-wal': /database/,
    'app.db-shm': /database/,
    'broken.db': /is no text/,
  }
  for (const [name, message] of Object.entries(refused))
    expect(() => replaceFile(join(folder.path, '/') + name, 'x'), name).toThrow(failing('NOT_A_FILE', message))
  expect(() => replaceFile('/dev/null', 'x')).toThrow(failing('NOT_A_FILE', /is a device/))
  database.close()
  socket.close()
  expect(readFileSync(target, 'utf8')).toBe('kept')
  expect(existsSync(folder.file('nothing'))).toBe(false)
  expect(names).toEqual([
    'app.db',
    'app.db-shm',
    'app.db-wal',
    'broken.db',
    'dangling',
    'folder',
    'link',
    'pipe',
    'socket',
    'target',
  ])
})

test('what the system refuses is told with the path, and nothing is left behind', () => {
  using folder = temporaryFolder()
  expect(() => replaceFile(folder.file('none/status'), 'x')).toThrow(
    failing('NOT_FOUND', /cannot write .*\/none\/status: .*ENOENT/),
  )
  writeFileSync(folder.file('file'), '')
  expect(() => replaceFile(folder.file('file/status'), 'x')).toThrow(failing('NOT_FOUND', /ENOTDIR/))
  expect(() => replaceFile(folder.file('n'.repeat(256)), 'x')).toThrow(failing('NOT_FOUND', /ENAMETOOLONG/))
  expect(() => replaceFile('/proc/status-of-holdfast', 'x')).toThrow()
  expect(readdirSync(folder.path)).toEqual(['file'])
})

const noTmpfs = whyNoMount('tmpfs')
test.skipIf(noTmpfs !== null)(
  `a full disk leaves the old file whole and nothing beside it${whySkipped(noTmpfs)}`,
  () => {
    using disk = mount('tmpfs', 65_536)
    const file = join(disk.path, 'status')
    replaceFile(file, 'old')
    expect(() => replaceFile(file, 'x'.repeat(200_000))).toThrow(failing('NO_SPACE', /ENOSPC/))
    expect([readdirSync(disk.path), readFileSync(file, 'utf8')]).toEqual([['status'], 'old'])
  },
)

test.skipIf(!isRoot)(
  'root keeps owner, group and mode of the file, without bits that make a program of it (skipped unless root)',
  () => {
    using folder = temporaryFolder()
    const file = folder.file('status')
    writeFileSync(file, 'old')
    chownSync(file, attackingUser.uid, 12_345)
    chmodSync(file, 0o6640)
    replaceFile(file, 'new')
    const { uid, gid } = statSync(file)
    expect([uid, gid, modeOf(file)]).toEqual([attackingUser.uid, 12_345, '640'])
  },
)

test.skipIf(!isRoot)(
  'another user may own the folder, but cannot lead root into one that is not theirs (skipped unless root)',
  () => {
    using folder = temporaryFolder()
    chmodSync(folder.path, 0o755)
    const [theirs, ours] = [folder.file('theirs'), folder.file('ours')]
    for (const path of [theirs, ours, join(theirs, 'metrics')]) mkdirSync(path)
    for (const path of [theirs, join(theirs, 'metrics')]) chownSync(path, attackingUser.uid, attackingUser.gid)
    writeFileSync(join(ours, 'status'), 'of root')
    symlinkSync(ours, join(theirs, 'away'))
    replaceFile(join(theirs, 'status'), 'told')
    replaceFile(join(theirs, 'metrics', 'status'), 'told')
    expect([
      readFileSync(join(theirs, 'status'), 'utf8'),
      readFileSync(join(theirs, 'metrics/status'), 'utf8'),
    ]).toEqual(['told', 'told'])
    expect(() => replaceFile(join(theirs, 'away', 'status'), 'x')).toThrow(
      failing('NO_PERMISSION', /another user could change where/),
    )
    chmodSync(theirs, 0o777) // Now anybody may rename in it: nobody knows who chooses.
    expect(() => replaceFile(join(theirs, 'metrics', 'status'), 'x')).toThrow(
      failing('NO_PERMISSION', /another user could change where/),
    )
    replaceFile(join(theirs, 'status'), 'told again')
    expect([readFileSync(join(ours, 'status'), 'utf8'), readdirSync(ours), dirname(ours)]).toEqual([
      'of root',
      ['status'],
      folder.path,
    ])
  },
)
