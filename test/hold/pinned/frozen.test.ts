/** A pin whose holder is killed or frozen (hold/pinned/README.md L13). */
import { mkdirSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { createBook } from '../../support/pinned/pinned-files.ts'
import { startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'
import { isPinned } from '../../support/pinned/while-pinned.ts'
import { startNode, type Program } from '../../support/processes.ts'

const insert = "insert into book(title) values ('more')"
const steps = ['probed', 'copied', 'probed-again'] as const

describe('a program whose file is pinned', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let file: string
  let program: SqliteProgram
  beforeEach(async () => {
    folder = temporaryFolder()
    file = folder.file('book.db')
    createBook(file, 'wal')
    mkdirSync(folder.file('snapshots'), { mode: 0o700 })
    program = await startSqliteProgram('node', file)
    program.run(insert)
    return async () => {
      await program[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    }
  })
  const frozenAfter = async (step: string, maxPinMs: number): Promise<Program> => {
    const holder = startNode('test/support/programs/live/frozen-pin.ts', [
      file,
      folder.file('snapshots'),
      step,
      String(maxPinMs),
      '600000',
    ])
    expect(await holder.ready).toEqual({ frozen: step })
    return holder
  }

  it.each(['locked', ...steps] as const)(
    'goes on while holdfast is frozen after "%s"; the guardian ends it after live.maxPin',
    async (step) => {
      await using holder = await frozenAfter(step, 2_000)
      expect(program.run(insert)).toBe('done')
      expect(await holder.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
      expect(isPinned(file)).toBe(false)
      expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
    },
  )

  it.each(steps)('meets no error when holdfast is killed after "%s", and no lock is left', async (step) => {
    await using holder = await frozenAfter(step, 600_000)
    expect(isPinned(file)).toBe(true)
    expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[1,-1,-1]]')
    holder.kill('SIGKILL')
    await holder.ended
    expect(isPinned(file)).toBe(false)
    expect(program.run(insert)).toBe('done')
    expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
  })
})

it.each(['locked', 'probed'])(
  'a program with a rollback journal does not wait long for a frozen holdfast (%s)',
  async (step) => {
    using folder = temporaryFolder()
    const file = folder.file('book.db')
    createBook(file)
    mkdirSync(folder.file('snapshots'), { mode: 0o700 })
    await using program = await startSqliteProgram('node', file, { timeoutMs: 60_000 })
    await using holder = startNode('test/support/programs/live/frozen-pin.ts', [
      file,
      folder.file('snapshots'),
      step,
      '600000',
      '600000',
    ])
    expect(await holder.ready).toEqual({ frozen: step })
    // Its commit waits for SHARED. The guardian ends the holder meanwhile: all other limits are ten minutes.
    expect(program.run(insert)).toBe('done')
    expect(await holder.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
  },
)
