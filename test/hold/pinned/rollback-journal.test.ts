/**
 * Databases with a rollback journal, beside programs that use them (hold/pinned/README.md L11): the copy is exact, and
 * a program notices no more than another reader would cost it.
 */
import { randomBytes } from 'node:crypto'
import { appendFileSync, statSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { mount, whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { createBook, pinOptions, readBook, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { programKinds, startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'

const insert = "insert into book(title) values ('more')"
const count = 'select count(*) from book'
const modes = ['delete', 'truncate', 'persist', 'memory', 'off'] as const

let fixture: BookScene['fixture']
let file: string
beforeEachBook('delete', (scene) => ({ fixture, file } = scene))

describe.each(programKinds)('beside the SQLite of %s', (kind) => {
  let program: SqliteProgram
  beforeEach(async () => {
    program = await startSqliteProgram(kind, file)
    return () => program[Symbol.asyncDispose]()
  })

  it('a snapshot is exact between two transactions', async () => {
    program.run(insert)
    const { copy, pin, held } = await takePinned(fixture, file)
    expect(copy).toEqual(soundBook(4))
    expect(pin).toMatchObject({ branch: 'rollback-journal', journal: 'none', mark: null })
    expect(held.record.evidence).toMatchObject({
      level: 'pinned',
      attempts: 1,
      probe: { before: { raw: 'refused', write: 'not-tried' }, after: { raw: 'refused' } },
    })
    expect(program.run(insert)).toBe('done')
  })

  it.each(modes)(
    'L11: a commit without a busy timeout is refused under the lock, and succeeds when it is tried again (%s)',
    async (mode) => {
      // Some builds refuse `off`.
      const hasJournal = /delete|truncate|persist/.test(program.run(`pragma journal_mode=${mode}`))
      expect(program.run(`begin immediate;${insert}`)).toBe('done')
      const said: string[] = []
      const { copy, pin } = await takePinned(fixture, file, {
        on: { proven: () => said.push(program.run('commit')), copied: () => said.push(program.run(count)) },
      })
      expect(said).toEqual(['SQLITE_BUSY', '[[4]]'])
      expect(copy).toEqual(soundBook(3))
      expect(pin).toMatchObject({ branch: 'rollback-journal', journal: hasJournal ? 'in-use' : 'none' })
      expect(program.run('commit')).toBe('done')
      expect(readBook(file)).toEqual(soundBook(4))
    },
  )

  it('L11: a transaction may begin and be rolled back; a new reader waits only beside a commit', async () => {
    await using reader = await startSqliteProgram(kind, file)
    const said: Record<string, string> = {}
    const { copy } = await takePinned(fixture, file, {
      on: {
        proven: () => {
          said['begin'] = program.run(`begin immediate;${insert}`)
          said['reader beside it'] = reader.run(count)
          said['rollback'] = program.run('rollback')
        },
        copied: () => {
          program.run(`begin immediate;${insert}`)
          said['commit'] = program.run('commit')
          said['reader beside the commit'] = reader.run(count)
        },
      },
    })
    expect(said).toEqual({
      begin: 'done',
      'reader beside it': '[[3]]',
      rollback: 'done',
      commit: 'SQLITE_BUSY',
      'reader beside the commit': 'SQLITE_BUSY',
    })
    expect(copy).toEqual(soundBook(3))
    expect(program.run('commit')).toBe('done')
    expect(reader.run(count)).toBe('[[4]]')
  })

  it('L11: a transaction that wants to spill may not, and grows in the memory of the program instead', async () => {
    program.run('pragma cache_size=5')
    expect(program.run('begin immediate;update page set edition=2 where id=1')).toBe('done')
    const said: string[] = []
    const { copy } = await takePinned(fixture, file, {
      on: { proven: () => said.push(program.run('update page set edition=2,body=randomblob(2000)')) },
    })
    expect(said).toEqual(['done'])
    expect(copy).toEqual(soundBook(3))
    expect(program.run('commit')).toBe('done')
    expect(readBook(file)).toEqual(soundBook(3, 2))
  })

  it('a transaction that has spilled is waited for, and is in the snapshot as a whole', async () => {
    program.run('pragma cache_size=5')
    expect(program.run('begin immediate;update page set edition=2,body=randomblob(2000)')).toBe('done')
    const before = Date.now()
    setTimeout(() => program.run('commit'), 300)
    const { copy, held } = await takePinned(fixture, file)
    expect(Date.now() - before).toBeGreaterThan(290)
    expect(copy).toEqual(soundBook(3, 2))
    expect(held.record.evidence.attempts).toBe(1)
  })
})

it('a second snapshot may be taken under the first: readers share the file', async () => {
  const others: ReturnType<typeof takePinned>[] = []
  const { copy } = await takePinned(fixture, file, {
    on: { proven: () => void others.push(takePinned(fixture, file)) },
  })
  expect(copy).toEqual(soundBook(3))
  expect((await Promise.all(others)).map((other) => other.copy)).toEqual([soundBook(3)])
})

describe('the wait of writers', () => {
  it('is predicted: a copy that takes longer is refused, and nothing is locked for it', async () => {
    const locked: string[] = []
    appendFileSync(file, randomBytes(40 << 20)) // No disk copies that within a millisecond. A hole would take no time.
    const options = pinOptions({ live: { maxWriterWaitMs: 121 }, on: { locked: () => locked.push('locked') } })
    expect(await fixture.holdBare(file, options)).toMatchObject({
      kind: 'refused',
      failure: {
        code: 'TOO_LARGE_FOR_PAUSE',
        message: expect.stringMatching(/waiting for about \d+ ms; live.maxWriterWait is 121 ms/),
      },
    })
    expect(locked).toEqual([])
  })

  it('ends at its limit, whatever the copy has reached: the lock is released, and nothing is kept', async () => {
    await using program = await startSqliteProgram('node', file)
    let locked = 0
    const held = await fixture.holdBare(
      file,
      pinOptions({
        live: { maxWriterWaitMs: 600 },
        on: {
          locked: () => locked++,
          // The process stands still until the lock must have ended, as with a disk that answers late.
          proven: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500),
        },
      }),
    )
    expect(held).toMatchObject({ kind: 'undecided', failure: { code: 'TOO_LARGE_FOR_PAUSE' } })
    expect(held.record.evidence).toMatchObject({ level: 'none', snapshot: null })
    expect(locked).toBe(1)
    expect(program.run(insert)).toBe('done')
    expect(fixture.remainingFiles()).toEqual([])
  })

  const noXfs = whyNoMount('xfs')
  it.skipIf(noXfs !== null)(`is no reason to refuse where blocks are shared${whySkipped(noXfs)}`, async () => {
    using xfs = mount('xfs', 0)
    const there = `${xfs.path}/book.db`
    createBook(there)
    const pinned = await takePinned(fixture, there, { live: { maxWriterWaitMs: 5_000 }, folder: xfs.path })
    expect(pinned.copy).toEqual(soundBook(3))
    expect(pinned.held.record.evidence.snapshot).toMatchObject({ method: 'reflink' })
  })
})

it('leaves the file as it is', async () => {
  const before = statSync(file, { bigint: true })
  await takePinned(fixture, file)
  const after = statSync(file, { bigint: true })
  expect([after.mtimeNs, after.ctimeNs, after.size]).toEqual([before.mtimeNs, before.ctimeNs, before.size])
})
