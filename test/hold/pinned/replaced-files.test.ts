/**
 * Files of a live set that were emptied, replaced or deleted under a connected program, before holdfast came: what has
 * the names is not what the program uses. Nothing is called sound or damaged then, and nothing is lost by holdfast.
 */
import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { beforeEach, expect, it } from 'vitest'
import { lockBytes } from '../../../src/sqlite/lock-bytes.ts'
import { startOtherProcess } from '../../support/host/other-process.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'

const insert = "insert into book(title) values ('more')"
const count = 'select count(*) from book'

let fixture: BookScene['fixture']
let file: string
let program: SqliteProgram
beforeEachBook('wal', (scene) => ({ fixture, file } = scene))
beforeEach(async () => {
  program = await startSqliteProgram('node', file)
  expect(program.run(insert)).toBe('done')
  return () => program[Symbol.asyncDispose]()
})

/** As a program that restores or syncs files does. */
function replace(path: string): void {
  copyFileSync(path, `${path}.new`)
  renameSync(`${path}.new`, path)
}

it.each([0, 1])('the WAL beside a database that was cut to %i bytes stays for its program', async (bytes) => {
  truncateSync(file, bytes)
  const before = [readFileSync(`${file}-wal`), statSync(`${file}-wal`).ino]
  await takePinned(fixture, file).catch(() => null) // Whatever is said of it.
  expect([readFileSync(`${file}-wal`), statSync(`${file}-wal`).ino]).toEqual(before)
})

it('a database that was replaced is not joined with the WAL of the old one', async () => {
  replace(file)
  await expect(takePinned(fixture, file)).rejects.toMatchObject({
    code: 'COPY_CHANGED',
    message: expect.stringContaining(`process ${program.pid} uses ${file}-shm, and no program uses ${file} itself`),
    hint: expect.stringContaining(`/proc/${program.pid}/fd`),
  })
})

it('nor if another holdfast waits beside it; with the right database that one is no hindrance', async () => {
  await using other = await startOtherProcess()
  const shared = async (): Promise<void> => {
    const descriptor = await other.open(file, 'read')
    const lock = { do: 'lock', descriptor, owner: 'description', kind: 'read', ...lockBytes.shared } as const
    expect(await other.do(lock)).toBe('granted')
  }
  await shared()
  expect((await takePinned(fixture, file)).copy).toEqual(soundBook(4))
  replace(file)
  await shared()
  await expect(takePinned(fixture, file)).rejects.toMatchObject({ code: 'COPY_CHANGED' })
})

it('a -wal that was deleted and made anew is noticed, also while it is empty', async () => {
  expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
  rmSync(`${file}-wal`)
  writeFileSync(`${file}-wal`, '')
  await expect(takePinned(fixture, file)).rejects.toMatchObject({
    code: 'COPY_CHANGED',
    message: expect.stringContaining(`but not the ${file}-wal that is there now`),
    hint: expect.stringContaining('stop that program in good order'),
  })
})

it('a -shm that was replaced does not make the database idle', async () => {
  replace(`${file}-shm`)
  await expect(takePinned(fixture, file)).rejects.toMatchObject({
    code: 'COPY_CHANGED',
    message: expect.stringContaining(`process ${program.pid} uses ${file}, but not by the -shm`),
  })
  expect(program.run(count)).toBe('[[4]]')
})

it('a header that says rollback journal above an empty WAL is no lie of the locks', async () => {
  expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
  const main = openSync(file, 'r+')
  writeSync(main, Buffer.from([1, 1]), 0, 2, 18)
  closeSync(main)
  const { copy, pin } = await takePinned(fixture, file)
  expect([copy, pin]).toEqual([soundBook(4), expect.objectContaining({ branch: 'wal', checkpoint: 'not-tried' })])
})
