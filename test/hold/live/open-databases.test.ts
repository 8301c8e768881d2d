/** The databases that programs have open: found by /proc, recognised by their first bytes, and left in peace. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findOpenDatabases, type OpenDatabases } from '../../../src/hold/live/open-databases.ts'
import { makeDatabase } from '../../support/cli/folder.ts'
import { openFileScene, workOf } from '../../support/cli/open-files.ts'
import { programOf, temporaryFolder } from '../../support/host/other-process.ts'
import { startProgram, type Program } from '../../support/processes.ts'

const never = new AbortController().signal

/** Those of this test: other programs of this machine have open databases, too. */
async function foundIn(folder: string): Promise<Pick<OpenDatabases, 'databases' | 'unusable'>> {
  const { databases, unusable } = await findOpenDatabases(never)
  const isOurs = ({ path }: { readonly path: string }): boolean => path.startsWith(folder)
  return { databases: databases.filter(isOurs), unusable: unusable.filter(isOurs) }
}

test('programs that keep databases open are named with journal mode and size, and notice nothing', async () => {
  using scene = openFileScene()
  scene.make('closed.db')
  const wal = await scene.program('main.db', 'wal')
  const second = await scene.program('no ending', 'wal')
  const rollback = await scene.program('a\nb.sqlite', 'delete')
  const mapped = await scene.program('c\nd.db', 'wal')
  for (let at = 0; at < 5; at++) await foundIn(scene.file(''))
  const sizeBefore = statSync(scene.file('main.db')).size
  const { databases, unusable } = await foundIn(scene.file(''))
  expect(
    databases.map(({ path, journalMode, programs }) => [path, journalMode, programs.map(({ pid }) => pid)]),
  ).toEqual([
    [scene.file('a\nb.sqlite'), 'rollback journal', [rollback.pid]],
    [scene.file('c\nd.db'), 'wal', [mapped.pid]],
    [scene.file('main.db'), 'wal', [wal.pid]],
    [scene.file('no ending'), 'wal', [second.pid]],
  ])
  expect(unusable).toEqual([])
  const main = databases.find(({ path }) => path.endsWith('main.db'))
  expect(main?.programs[0]?.command).toBe('node file-user.ts')
  // Its program may have made it larger meanwhile.
  expect(main?.bytes).toBeGreaterThanOrEqual(sizeBefore)
  expect(main?.bytes).toBeLessThanOrEqual(statSync(scene.file('main.db')).size)
  expect(main?.walBytes).toBeGreaterThan(0)
  for (const program of [wal, second, rollback, mapped]) {
    const { done, refused } = await workOf(program)
    expect(done).toBeGreaterThan(0)
    expect(refused).toBe(0)
  }
})

test('what is no database is none: text, a file that is gone, one that has another name by now', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('text.db'), 'no database, but with the name of one')
  for (const name of ['gone.db', 'moved.db', 'kept.db.original-01ARZ3NDEKTSV4RRFFQ69G5FAV'])
    makeDatabase(folder.file(name))
  const names = ['text.db', 'gone.db', 'moved.db', 'kept.db.original-01ARZ3NDEKTSV4RRFFQ69G5FAV']
  await using program = startProgram('sh', [
    '-c',
    `cd "$0" && exec 3<>text.db 4<>gone.db 5<>moved.db 6<>${names[3]} && echo '{}' && exec sleep 60`,
    folder.path,
  ])
  await program.ready
  rmSync(folder.file('gone.db'))
  renameSync(folder.file('moved.db'), folder.file('renamed.db'))
  makeDatabase(folder.file('moved.db'))
  const { databases, unusable } = await foundIn(folder.path)
  expect([databases.map(({ path }) => path), unusable]).toEqual([[folder.file('renamed.db')], []])
})

test('a file with a kernel lease of another program is not opened, so the lease stands', async () => {
  using folder = temporaryFolder()
  const path = makeDatabase(folder.file('leased.db'))
  const holder = spawn(process.execPath, [programOf('lease-holder'), path], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    await once(holder.stdout, 'data')
    holder.stdin.write('now\n')
    expect(String(((await once(holder.stdout, 'data')) as [Buffer])[0])).toBe('leased\n')
    expect(await foundIn(folder.path)).toEqual({
      databases: [],
      unusable: [{ path, why: 'a program holds a kernel lease on it, so it was not opened' }],
    })
    const own = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`:${statSync(path).ino} `))
    expect(own).toEqual([expect.stringMatching(/LEASE +ACTIVE/)])
  } finally {
    holder.stdin.end()
    if (holder.exitCode === null) await once(holder, 'exit')
  }
})

const canUnshare = process.geteuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0

/** A program that keeps `inside/x.db` open, after these commands in a mount namespace of its own. */
async function startBehind(mounts: string, folder: string): Promise<Program> {
  const words = [process.execPath, programOf('file-user'), join(folder, 'inside/x.db'), 'wal', 'keeps-open']
  const program = startProgram('unshare', ['-m', 'sh', '-c', `cd / && ${mounts} && exec "$@"`, folder, ...words])
  await program.ready
  return program
}

test.skipIf(!canUnshare)(
  'a program behind a mount of its own: the path here is found (skipped without root and unshare)',
  async () => {
    using folder = temporaryFolder()
    mkdirSync(folder.file('data'))
    mkdirSync(folder.file('inside'))
    const mounts = 'mount --bind "$0/data" "$0/inside" && mount -t tmpfs none "$0/data"'
    await using program = await startBehind(mounts, folder.path)
    const { databases, unusable } = await foundIn(folder.path)
    expect([databases.map(({ path, programs }) => [path, programs[0]?.pid]), unusable]).toEqual([
      [[folder.file('data/x.db'), program.pid]],
      [],
    ])
  },
)

test.skipIf(!canUnshare).each([
  ['a file system without known locks, that only the program sees', 'ramfs', /^it lies on ramfs, where locks/],
  ['a file system that is not mounted here', 'tmpfs', /^its program runs in a container, or behind another mount/],
])('%s is named, and not opened (skipped without root and unshare)', async (_, type, why) => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('inside'))
  // Under the same path, another file is here.
  makeDatabase(folder.file('inside/x.db'))
  await using _program = await startBehind(`mount -t ${type} none "$0/inside"`, folder.path)
  const { databases, unusable } = await foundIn(folder.path)
  expect(databases).toEqual([])
  expect(unusable.find(({ path }) => path === folder.file('inside/x.db'))?.why).toMatch(why)
})
