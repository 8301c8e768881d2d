/**
 * Databases in WAL mode that no program has open (hold/pinned/README.md L5 and L9): they are copied as they lie there,
 * and a program that comes meanwhile is neither hindered nor missed.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { footprint } from '../../support/hold/expect-unlocked.ts'
import { startOtherProcess, type OtherProcess } from '../../support/host/other-process.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { readBook, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { runOnce, startSqliteProgram } from '../../support/pinned/sqlite-program.ts'

const insert = "insert into book(title) values ('more')"
const count = 'select count(*) from book'

let fixture: BookScene['fixture']
let other: OtherProcess
let file: string
beforeEachBook('wal', (scene) => ({ fixture, file } = scene))
beforeAll(async () => {
  other = await startOtherProcess()
})
afterAll(() => other[Symbol.asyncDispose]())

/** A program commits a row and is killed: its WAL and its `-shm` stay. */
async function leaveWal(): Promise<void> {
  await using program = await startSqliteProgram('node', file)
  expect(program.run(insert)).toBe('done')
  await program.kill()
  expect(readFileSync(`${file}-wal`).length).toBeGreaterThan(32)
}

it('a database that was closed in good order is the main file alone, and no file appears beside it', async () => {
  const before = footprint(file)
  const { copy, pin, held } = await takePinned(fixture, file)
  expect(copy).toEqual(soundBook(3))
  expect(pin).toMatchObject({ branch: 'idle', mark: null, journal: 'none', lastSeenConnected: false })
  expect(held.record.evidence).toMatchObject({
    level: 'pinned',
    attempts: 1,
    probe: { before: { raw: 'refused', write: 'not-tried' }, after: { raw: 'refused' } },
  })
  expect(footprint(file)).toEqual(before)
})

it.each([['with'], ['without']])('a WAL that a killed program left is copied as a whole (%s its -shm)', async (shm) => {
  await leaveWal()
  if (shm === 'without') rmSync(`${file}-shm`)
  const before = footprint(file)
  const { copy, pin, held } = await takePinned(fixture, file)
  expect(copy).toEqual(soundBook(4))
  expect(pin).toMatchObject({ branch: 'idle' })
  expect(held.snapshot.files.map(({ part }) => part)).toEqual(['', '-wal'])
  expect(footprint(file)).toEqual(before)
})

it('a WAL under a header that says rollback journal is copied too, as SQLite reads it', async () => {
  await leaveWal()
  const main = openSync(file, 'r+')
  writeSync(main, Buffer.from([1, 1]), 0, 2, 18)
  closeSync(main)
  const { copy, pin } = await takePinned(fixture, file)
  expect(copy).toEqual(soundBook(4))
  expect(pin).toMatchObject({ branch: 'idle' })
})

it('a program whose -shm was deleted is no idle database: it is said what to do', async () => {
  await using program = await startSqliteProgram('node', file)
  expect(program.run(insert)).toBe('done')
  rmSync(`${file}-shm`)
  await expect(takePinned(fixture, file)).rejects.toMatchObject({
    code: 'COPY_CHANGED',
    message: expect.stringContaining(`process ${program.pid} uses ${file}, but not by the -shm`),
    hint: expect.stringContaining('stop that program in good order'),
  })
  program.close()
  const { copy, pin } = await takePinned(fixture, file)
  expect([copy, pin?.branch]).toEqual([soundBook(4), 'idle'])
})

it('a read version that SQLite takes for a rollback journal is one: writers wait no longer than they may', async () => {
  const main = openSync(file, 'r+')
  writeSync(main, Buffer.from([0, 0]), 0, 2, 18)
  closeSync(main)
  const { copy, pin } = await takePinned(fixture, file)
  expect([copy, pin?.branch]).toEqual([soundBook(3), 'rollback-journal'])
})

describe('L5: a wal-index that a power cut left behind', () => {
  /** The `-shm` lacks the last commit of the WAL, and no program is connected. */
  async function leaveStaleIndex(): Promise<void> {
    await using program = await startSqliteProgram('node', file)
    expect(program.run(insert)).toBe('done')
    const old = readFileSync(`${file}-shm`)
    expect(program.run(insert)).toBe('done')
    await program.kill()
    const shm = openSync(`${file}-shm`, 'r+')
    writeSync(shm, old)
    closeSync(shm)
  }

  it('costs no commit: not in the snapshot, and not for the program that opens the file under the lock', async () => {
    await leaveStaleIndex()
    const said: string[] = []
    const { copy } = await takePinned(fixture, file, {
      on: {
        proven: () => {
          if (said.length === 0) said.push(runOnce(file, count))
        },
      },
    })
    expect(said).toEqual(['[[5]]'])
    expect(copy).toEqual(soundBook(5))
    expect(readBook(file)).toEqual(soundBook(5))
  })

  it('would cost one if the dead man\u2019s switch were held (as a program reads it then)', async () => {
    await leaveStaleIndex()
    const descriptor = await other.open(`${file}-shm`, 'write')
    const lock = { do: 'lock', descriptor, owner: 'description', kind: 'read', start: 128, length: 1 } as const
    expect(await other.do(lock)).toBe('granted')
    expect(runOnce(file, count)).toBe('[[4]]')
    await other.do({ do: 'close', descriptor })
  })

  it('nothing of ours stands on the -shm at any step', async () => {
    await leaveWal()
    const seen: string[] = []
    const look = (): void => {
      const { ino } = statSync(`${file}-shm`)
      seen.push(
        ...readFileSync('/proc/locks', 'latin1')
          .split('\n')
          .filter((line) => line.includes(`:${ino} `)),
      )
    }
    await takePinned(fixture, file, { on: { locked: look, probed: look, proven: look, copied: look } })
    expect(seen).toEqual([])
  })
})

describe('L9: a program that comes while the files are copied', () => {
  /** Does it in the first attempt only. */
  const once = (what: () => void): (() => void) => {
    let done = false
    return () => {
      if (!done) what()
      done = true
    }
  }

  it.each([
    ['writes and goes', insert, 4],
    ['checkpoints and goes', 'pragma wal_checkpoint(TRUNCATE)', 3],
    ['only reads and goes', count, 3],
  ])('and %s cannot hide: the copy is made anew', async (_, sql, books) => {
    const { copy, pin, held } = await takePinned(fixture, file, {
      on: {
        proven: once(() => {
          expect(runOnce(file, sql)).not.toMatch('SQLITE')
          expect([existsSync(`${file}-shm`), existsSync(`${file}-wal`)]).toEqual([true, true])
        }),
      },
    })
    expect(held.record.evidence.attempts).toBe(2)
    expect(copy).toEqual(soundBook(books))
    expect(pin).toMatchObject({ branch: 'idle' })
    expect(readBook(file)).toEqual(soundBook(books))
  })

  it('and meets a WAL that was left loses nothing by us', async () => {
    await leaveWal()
    const { copy, held } = await takePinned(fixture, file, {
      on: { copied: once(() => expect(runOnce(file, insert)).toBe('done')) },
    })
    expect(held.record.evidence.attempts).toBe(2)
    expect(copy).toEqual(soundBook(5))
  })

  it('in every attempt, lets none pass: nothing is called a snapshot', async () => {
    let times = 0
    const taken = takePinned(fixture, file, {
      on: {
        proven: () => {
          times++
          runOnce(file, insert)
        },
      },
    })
    await expect(taken).rejects.toMatchObject({ code: 'COPY_CHANGED' })
    expect(times).toBe(3)
    expect(fixture.remainingFiles()).toEqual([])
    expect(readBook(file)).toEqual(soundBook(6))
  })

  it('and stays is seen, and the next attempt is made beside it', async () => {
    // It opens the file only with its first statement.
    await using program = await startSqliteProgram('node', file)
    const { copy, pin, held } = await takePinned(fixture, file, {
      on: { proven: once(() => expect(program.run(insert)).toBe('done')) },
    })
    expect(held.record.evidence.attempts).toBe(2)
    expect(pin).toMatchObject({ branch: 'wal', lastSeenConnected: true })
    expect(copy).toEqual(soundBook(4))
    expect(program.run(count)).toBe('[[4]]')
  })
})
