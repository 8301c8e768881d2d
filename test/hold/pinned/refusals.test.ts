/** What SQLite's usual locks cannot keep still is recognised and refused, with a sentence that says what to do. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { footprint } from '../../support/hold/expect-unlocked.ts'
import { whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { startOtherProcess } from '../../support/host/other-process.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { createBook, pinOptions, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { noPython, programKinds, startSqliteProgram } from '../../support/pinned/sqlite-program.ts'

const insert = "insert into book(title) values ('more')"
const soon = { live: { pinWaitMs: 200 } }

let fixture: BookScene['fixture']
let folder: BookScene['folder']
let file: string
beforeEachBook('delete', (scene) => ({ fixture, folder, file } = scene))

describe.each(programKinds)('a program with locking_mode=EXCLUSIVE (SQLite of %s)', (kind) => {
  it.each(['delete', 'wal'])('is named, with what to do (journal_mode=%s)', async (mode) => {
    await using program = await startSqliteProgram(kind, file)
    program.run('pragma locking_mode=exclusive')
    program.run(`pragma journal_mode=${mode}`)
    expect(program.run(insert)).toBe('done')
    const { result, exitCode } = await fixture.examineBare(file, pinOptions(soon))
    expect(exitCode).toBe(75)
    expect(result).toMatchObject({
      verdict: 'failed',
      failure: {
        code: 'LOCK_BUSY',
        message: expect.stringMatching(
          new RegExp(
            String.raw`process ${program.pid} \(\w+.*\) holds a \w+ lock on \S+book.db; it let no reader in for \d+ ms`,
          ),
        ),
        hint: expect.stringMatching(/locking_mode = EXCLUSIVE.* set it to NORMAL.*systemctl stop/),
        tenantState: 'untouched',
      },
    })
    program.close()
    expect((await takePinned(fixture, file)).copy).toEqual(soundBook(4))
  })

  it('that has only read lets others read, and is no obstacle', async () => {
    await using program = await startSqliteProgram(kind, file)
    program.run('pragma locking_mode=exclusive')
    program.run('select count(*) from book')
    expect((await takePinned(fixture, file, soon)).copy).toEqual(soundBook(3))
  })
})

describe('the folder of unix-dotfile', () => {
  const lockFolder = (): string => `${file}.lock`

  it.skipIf(noPython !== null)(`is known as the lock of a program${whySkipped(noPython)}`, async () => {
    await using program = await startSqliteProgram('python', file, { vfs: 'unix-dotfile' })
    expect(program.run(`begin immediate;${insert}`)).toBe('done')
    expect(existsSync(lockFolder())).toBe(true)
    const before = footprint(file)
    const { result, exitCode } = await fixture.examineBare(file, pinOptions(soon))
    expect(exitCode).toBe(75)
    expect(result?.failure).toMatchObject({
      code: 'LOCK_BUSY',
      message: expect.stringContaining(`${lockFolder()}: a program locks the database with it`),
      hint: expect.stringMatching(/usual locks, or stop the program.*remove it with `rmdir`/),
    })
    expect(footprint(file)).toEqual(before)
    expect(program.run('commit')).toBe('done')
    expect(existsSync(lockFolder())).toBe(false)
    expect((await takePinned(fixture, file)).copy).toEqual(soundBook(4))
  })

  it.skipIf(noPython !== null)(
    `that is made after that look: what its program writes is seen${whySkipped(noPython)}`,
    async () => {
      await using program = await startSqliteProgram('python', file, { vfs: 'unix-dotfile' })
      let written = 0
      const { copy, held } = await takePinned(fixture, file, {
        on: {
          proven: () => {
            if (written++ === 0) expect(program.run(insert)).toBe('done')
          },
        },
      })
      expect(held.record.evidence.attempts).toBe(2)
      expect(copy).toEqual(soundBook(4))
    },
  )

  it('is a folder: a file of this name belongs to another program, and is no obstacle', async () => {
    writeFileSync(lockFolder(), '')
    expect((await takePinned(fixture, file)).copy).toEqual(soundBook(3))
  })
})

describe('a mapping', () => {
  it('through which another process may change the file is refused, with its pid', async () => {
    await using other = await startOtherProcess()
    const descriptor = await other.open(file, 'write')
    await other.do({ do: 'map', descriptor, bytes: 4096, how: 'shared' })
    await other.do({ do: 'close', descriptor })
    const { result, exitCode } = await fixture.examineBare(file, pinOptions({}))
    expect(exitCode).toBe(75)
    expect(result).toMatchObject({
      verdict: 'failed',
      failure: {
        code: 'IN_USE',
        message: expect.stringContaining(`process ${other.pid} (node other-process.ts) has ${file} mapped`),
        hint: expect.stringMatching(/end that program, or stop the program for the check/),
      },
      evidence: { holders: [{ pid: other.pid, modes: ['mapped'] }] },
    })
  })

  it('of SQLite is no obstacle', async () => {
    await using program = await startSqliteProgram('node', file)
    program.run('pragma mmap_size=10000000')
    program.run('select count(*) from book')
    expect((await takePinned(fixture, file)).copy).toEqual(soundBook(3))
  })
})

const noTmpfs = whyNoMount('tmpfs')
it.skipIf(noTmpfs !== null)(
  `a file system whose locks are not known is refused, unless its mount is trusted by name${whySkipped(noTmpfs)}`,
  async () => {
    const mounted = folder.file('ramfs')
    mkdirSync(mounted)
    execFileSync('mount', ['-t', 'ramfs', 'none', mounted])
    try {
      const there = join(mounted, 'book.db')
      createBook(there, 'wal')
      const { result, exitCode } = await fixture.examineBare(there, pinOptions({}))
      expect(exitCode).toBe(1)
      expect(result?.failure).toMatchObject({
        code: 'LOCKS_UNTRUSTED',
        message: expect.stringContaining(`lies on ramfs mounted at ${mounted}`),
        hint: expect.stringContaining('tenants.trustMounts'),
      })
      const { settings, ...options } = pinOptions({})
      expect(
        (await fixture.examineBare(there, { ...options, settings: { ...settings, trustMounts: [mounted] } })).result,
      ).toMatchObject({ verdict: 'sound', evidence: { level: 'pinned', fileSystem: 'ramfs' } })
    } finally {
      execFileSync('umount', ['-l', mounted])
    }
  },
)
