/** What ends a pin before the copy is done: holdfast lets go first, and then says why (hold/pinned/README.md). */
import { closeSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { sleep } from '../../../src/host/clock.ts'
import { tryLock } from '../../../src/host/locks/byte-lock.ts'
import { Failure } from '../../../src/model/failure.ts'
import { shmLockBytes } from '../../../src/sqlite/lock-bytes.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { pinOptions, readBook, soundBook } from '../../support/pinned/pinned-files.ts'
import { startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'
import { isPinned, whilePinned } from '../../support/pinned/while-pinned.ts'
import { eventually } from '../../support/processes.ts'

const insert = "insert into book(title) values ('more')"
const everything = 'update page set edition = 2, body = randomblob(2000)'

describe('a pin', () => {
  let fixture: BookScene['fixture']
  let file: string
  let program: SqliteProgram
  beforeEachBook('wal', (scene) => ({ fixture, file } = scene))
  beforeEach(async () => {
    program = await startSqliteProgram('node', file)
    program.run(insert)
    return async () => {
      await program[Symbol.asyncDispose]()
      expect(fixture.remainingFiles()).toEqual([])
    }
  })
  const letsGo = (): Promise<boolean> => eventually('holdfast lets go', () => !isPinned(file))
  /** The program goes on without a wait, and the WAL can be written back. */
  const expectUnharmed = (): void => {
    expect(program.run(insert)).toBe('done')
    expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
  }

  it('L6: is let go when a writer died over the wal-index, and the next attempt succeeds', async () => {
    const tornAt: number[] = []
    const held = await whilePinned(fixture, file, {}, async () => {
      tearIndex(`${file}-shm`)
      tornAt.push(performance.now())
      await letsGo()
      tornAt.push(performance.now())
      expect(program.run(insert)).toBe('done') // It recovers the wal-index.
    })
    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(readBook(snapshot.path)).toEqual(soundBook(5))
    expect(held.record.evidence.attempts).toBe(2)
    const [torn = 0, free = 0] = tornAt
    expect(free - torn).toBeLessThan(5_000) // After 10 s SQLite gives up.
    expectUnharmed()
  })

  it('L6: is not kept over a wal-index that a program has to recover first', async () => {
    tearIndex(`${file}-shm`)
    let locked = false
    const held = fixture.holdBare(file, pinOptions({ on: { locked: () => void (locked = true) } }))
    await eventually('holdfast tries to pin', () => locked)
    await sleep(50)
    expect(program.run(insert)).toBe('done')
    const outcome = await held
    if (outcome.kind !== 'snapshot') throw outcome.failure
    await using snapshot = outcome.snapshot
    expect(readBook(snapshot.path)).toEqual(soundBook(5))
    expect(outcome.record.evidence.attempts).toBe(1)
    expectUnharmed()
  })

  it('is let go when the WAL grows past live.maxWalGrowth', async () => {
    const held = await whilePinned(fixture, file, { live: { maxWalGrowthBytes: 300_000 } }, async () => {
      expect(program.run(everything)).toBe('done')
      await letsGo()
    })
    expect(held).toMatchObject({ kind: 'undecided', failure: { code: 'NO_SPACE', tenantState: 'untouched' } })
    expect(held).toMatchObject({ failure: { message: expect.stringContaining('live.maxWalGrowth') } })
    expectUnharmed()
  })

  it('is let go at live.maxPin', async () => {
    const held = await whilePinned(fixture, file, { live: { maxPinMs: 1_500 } }, async () => void (await letsGo()))
    expect(held).toMatchObject({ kind: 'undecided', failure: { code: 'TOO_LARGE_FOR_PAUSE' } })
    expect(held).toMatchObject({ failure: { message: expect.stringContaining('live.maxPin') } })
    expectUnharmed()
  })

  it('is let go when the database file is replaced', async () => {
    const held = await whilePinned(fixture, file, {}, async () => {
      renameSync(file, `${file}.away`)
      await letsGo()
      renameSync(`${file}.away`, file)
    })
    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(readBook(snapshot.path)).toEqual(soundBook(4))
    expect(held.record.evidence.attempts).toBe(2)
    expectUnharmed()
  })

  it('L4: stands while its program is killed and started again, which meets no error', async () => {
    const said: string[] = []
    const next = await startSqliteProgram('node', file) // It connects with its first statement.
    const held = await whilePinned(fixture, file, {}, async () => {
      await program.kill()
      said.push(next.run(`${insert};select count(*) from book`))
      expect(isPinned(file)).toBe(true)
    })
    await program[Symbol.asyncDispose]()
    program = next
    expect(said).toEqual(['[[5]]'])
    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(readBook(snapshot.path)).toEqual(soundBook(4))
    expect(held.record.evidence).toMatchObject({ attempts: 1, pin: { lastSeenConnected: true } })
    expectUnharmed()
  })

  it('is let go when the run is interrupted', async () => {
    const interrupt = new AbortController()
    const held = whilePinned(fixture, file, { signal: interrupt.signal }, async () => {
      interrupt.abort(new Failure('INTERRUPTED', 'a person ended the run'))
      expect(isPinned(file)).toBe(false)
    })
    await expect(held).rejects.toMatchObject({ code: 'INTERRUPTED', tenantState: 'untouched' })
    expectUnharmed()
  })

  it('waits for live.pinWait where another pin stands, and is then busy', async () => {
    const other = openSync(`${file}-shm`, 'r+')
    try {
      expect(tryLock(other, 'write', { start: shmLockBytes.checkpoint, length: 1 })).toBe('granted')
      const startMs = performance.now()
      const { result, exitCode } = await fixture.examineBare(file, pinOptions({ live: { pinWaitMs: 300 } }))
      expect(performance.now() - startMs).toBeGreaterThan(300)
      expect(result?.failure).toMatchObject({
        code: 'LOCK_BUSY',
        message: expect.stringContaining(`holds a write lock on ${file}-shm`),
      })
      expect(exitCode).toBe(75)
    } finally {
      closeSync(other)
    }
    expectUnharmed()
  })
})

/** What a writer leaves that was killed between the two copies of the header. */
function tearIndex(shm: string): void {
  const descriptor = openSync(shm, 'r+')
  try {
    const second = Buffer.alloc(4)
    readSync(descriptor, second, 0, 4, 48 + 16)
    second.writeUInt32LE(second.readUInt32LE(0) + 1)
    writeSync(descriptor, second, 0, 4, 48 + 16)
  } finally {
    closeSync(descriptor)
  }
}
