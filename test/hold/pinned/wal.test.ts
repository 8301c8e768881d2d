/** A pinned snapshot of a WAL database beside programs that keep it open (hold/pinned/README.md L1 to L4, L7, L8). */
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { onDisk } from '../../../src/host/files/file-name.ts'
import { tryLock } from '../../../src/host/locks/byte-lock.ts'
import { lockBytes } from '../../../src/sqlite/lock-bytes.ts'
import { readWalHeader } from '../../../src/sqlite/wal/wal.ts'
import { appendDeadTransaction } from '../../support/databases/dead-transaction.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { pinOptions, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { noPython, programKinds, startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'

const insert = "insert into book(title) values ('more')"
const count = 'select count(*) from book'
const everything = 'update page set edition = 2, body = randomblob(2000)'

let fixture: BookScene['fixture']
let folder: BookScene['folder']
let file: string
beforeEachBook('wal', (scene) => ({ fixture, folder, file } = scene))

describe.each(programKinds)('beside the SQLite of %s', (kind) => {
  let program: SqliteProgram
  beforeEach(async () => {
    program = await startSqliteProgram(kind, file)
    expect(program.run(insert)).toBe('done')
    return () => program[Symbol.asyncDispose]()
  })
  const saltsNow = (): string | undefined => readWalHeader(readFileSync(`${file}-wal`).subarray(0, 32))?.salts
  const another = (): Promise<SqliteProgram> => startSqliteProgram(kind, file)

  it('L1: a snapshot is the state at the mark, whatever is written after it', async () => {
    const said: string[] = []
    const writes = (): void => void said.push(program.run(insert), program.run(everything))
    const { copy, pin, held } = await takePinned(fixture, file, {
      on: { locked: () => said.push(program.run(insert)), probed: writes, proven: writes, copied: writes },
    })
    expect(copy).toEqual(soundBook(5))
    expect(said).toEqual(said.map(() => 'done'))
    expect(pin).toMatchObject({ branch: 'wal', mark: { frames: expect.any(Number) }, checkpoint: 'refused' })
    expect(pin).toMatchObject({ journal: 'none', lastSeenConnected: true })
    expect(pin?.walGrewBytes).toBeGreaterThan(400_000)
    expect(held.record.evidence).toMatchObject({
      level: 'pinned',
      attempts: 1,
      lease: null,
      quiesce: null,
      probe: { before: { raw: 'refused' }, after: { raw: 'refused' } },
      lock: { ranges: ['database read 0x40000002+510', '-shm read 0x80+1', '-shm write 0x79+1', '-shm read 0x7c+1'] },
    })
    expect(program.run(count)).toBe('[[8]]')
  })

  it('L1: a transaction that spills and is rolled back under the pin leaves no trace', async () => {
    program.run('pragma cache_size=5')
    const { copy } = await takePinned(fixture, file, {
      on: {
        locked: () => void program.run(`begin;${everything}`),
        proven: () => void program.run('update page set edition = 3, body = randomblob(2000)'),
        copied: () => void program.run('rollback'),
      },
    })
    expect(copy).toEqual(soundBook(4))
    expect(program.run('pragma integrity_check')).toBe('[["ok"]]')
  })

  it('L1: a WAL that is written back wholly is not begun anew under the pin', async () => {
    const [, frames, written] = JSON.parse(program.run('pragma wal_checkpoint(PASSIVE)'))[0] as number[]
    expect(written).toBe(frames)
    const salts = saltsNow()
    const { copy, pin, held } = await takePinned(fixture, file, { on: { probed: () => void program.run(insert) } })
    expect(copy).toEqual(soundBook(4))
    expect(pin?.mark).toEqual({ frames, salts })
    expect(held.record.evidence.attempts).toBe(1)
    expect(saltsNow()).toBe(salts)
    expect(program.run(count)).toBe('[[5]]')
  })

  it('L2: a commit frame that the wal-index does not count is in no snapshot', async () => {
    const { size } = statSync(`${file}-wal`)
    const { copy, held } = await takePinned(fixture, file, {
      on: { locked: () => appendDeadTransaction(`${file}-wal`) },
    })
    expect(copy).toEqual(soundBook(4))
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(size)
    expect(held.record.evidence.snapshot?.files).toMatchObject([{ part: '' }, { part: '-wal', bytes: size }])
    expect(program.run(`${insert};${count}`)).toBe('[[5]]')
  })

  it('L3: the salts change under a pin at 0 frames, and the snapshot is the database file alone', async () => {
    program.run('pragma wal_checkpoint(TRUNCATE)')
    await using opener = await another()
    const { copy, pin, held } = await takePinned(fixture, file, { on: { probed: () => void opener.run(insert) } })
    expect(copy).toEqual(soundBook(4))
    expect(held.record.evidence.snapshot?.files.map(({ part }) => part)).toEqual([''])
    expect(pin?.mark?.frames).toBe(0)
    expect(saltsNow()).not.toBe(pin?.mark?.salts)
    expect(program.run(count)).toBe('[[5]]')
  })

  it('L3: a whole old generation in the WAL is not copied at 0 frames', async () => {
    program.run(everything)
    const generation = readFileSync(`${file}-wal`)
    program.run('pragma wal_checkpoint(TRUNCATE)')
    writeFileSync(`${file}-wal`, generation) // As between the two steps of the checkpoint.
    const { copy, held } = await takePinned(fixture, file)
    expect(copy).toEqual(soundBook(4, 2))
    expect(held.record.evidence.snapshot?.files.map(({ part }) => part)).toEqual([''])
    expect(program.run(`${insert};${count}`)).toBe('[[5]]')
  })

  it('L4: a program that closes and opens again under the pin notices nothing', async () => {
    const said: string[] = []
    await using second = await another()
    const { copy, pin } = await takePinned(fixture, file, {
      on: {
        probed: () => {
          program.close()
          said.push(second.run(`${insert};${count}`))
        },
        copied: () => second.close(),
      },
    })
    expect(said).toEqual(['[[5]]'])
    expect(copy).toEqual(soundBook(4))
    expect(pin?.lastSeenConnected).toBe(false)
    expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([true, true]) // L8
    await using next = await another()
    expect(next.run(count)).toBe('[[5]]')
    next.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  it('L7: every checkpoint is refused at once under the pin, blocks no writer, and succeeds after it', async () => {
    await using checkpointer = await startSqliteProgram(kind, file, { timeoutMs: 60_000 })
    const said: string[] = []
    const tryAll = (): void => {
      for (const kind of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])
        said.push(checkpointer.run(`pragma wal_checkpoint(${kind})`), program.run(insert))
    }
    const { copy } = await takePinned(fixture, file, { on: { proven: tryAll } })
    expect(copy).toEqual(soundBook(4))
    expect(said).toEqual(Array.from({ length: 4 }, () => ['[[1,-1,-1]]', 'done']).flat())
    expect(checkpointer.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
  })

  it('L8: beside the pin a program may do all but change the journal mode, and lock others out', async () => {
    const said: Record<string, string> = {}
    await using second = await another()
    const exclusive = `pragma locking_mode=exclusive;${insert}`
    const { copy } = await takePinned(fixture, file, {
      on: {
        proven: () => {
          program.close() // The other program is alone with the pin.
          for (const sql of ['vacuum', `${insert};${count}`, 'pragma journal_mode=delete', exclusive, count])
            said[sql] = second.run(sql)
        },
      },
    })
    expect(copy).toEqual(soundBook(4))
    expect(said).toEqual({
      vacuum: 'done',
      [`${insert};${count}`]: '[[5]]',
      'pragma journal_mode=delete': expect.stringMatching(/^SQLITE_BUSY/),
      [exclusive]: expect.stringMatching(/^SQLITE_BUSY/),
      [count]: '[[5]]',
    })
  })

  it('no byte of the database file changes, and neither do its times', async () => {
    const before = { bytes: readFileSync(file), times: statSync(file, { bigint: true }) }
    await takePinned(fixture, file)
    const after = statSync(file, { bigint: true })
    expect(readFileSync(file).equals(before.bytes)).toBe(true)
    expect([after.mtimeNs, after.ctimeNs]).toEqual([before.times.mtimeNs, before.times.ctimeNs])
  })
})

it('a damaged schema keeps no file from its snapshot; only the checkpoint of SQLite was not tried', async () => {
  const bytes = readFileSync(file)
  bytes.write('INDEZ', bytes.indexOf('INDEX book_title'))
  writeFileSync(file, bytes)
  await using program = await startSqliteProgram('node', file)
  expect(program.run('begin immediate;commit')).toBe('done')
  expect(program.run(count)).toBe('SQLITE_CORRUPT')
  const held = await fixture.holdBare(file, pinOptions({}))
  if (held.kind !== 'snapshot') throw held.failure
  await using _snapshot = held.snapshot
  expect(held.record.evidence.pin).toMatchObject({ branch: 'wal', checkpoint: 'not-tried' })
})

it.skipIf(noPython !== null).each([
  ['a blank at its end', 'book.db ', '%20'],
  ['a byte that is not UTF-8', 'book.db\udcff', '%FF'],
])('a file whose name has %s is pinned, too', async (_, name, inUri) => {
  const named = folder.file(name)
  renameSync(file, onDisk(named))
  await using program = await startSqliteProgram('python', `${file}${inUri}`)
  expect(program.run(insert)).toBe('done')
  const { copy, pin } = await takePinned(fixture, named)
  expect([copy, pin?.branch, pin?.checkpoint]).toEqual([soundBook(4), 'wal', 'refused'])
})

it('a program that closes the file keeps SQLite of the second process out: the kernel answers', async () => {
  await using program = await startSqliteProgram('node', file)
  expect(program.run(insert)).toBe('done')
  const closing = openSync(file, 'r+')
  try {
    const { copy, pin, held } = await takePinned(fixture, file, {
      on: { locked: () => expect(tryLock(closing, 'write', { start: lockBytes.pending, length: 1 })).toBe('granted') },
    })
    expect([copy, pin?.checkpoint, held.record.evidence.attempts]).toEqual([soundBook(4), 'not-tried', 1])
  } finally {
    closeSync(closing)
  }
})
