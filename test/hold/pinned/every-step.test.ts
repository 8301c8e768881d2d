/** Each step of a pinned snapshot fails once. Nothing stays locked, nothing is left, and the next one succeeds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HoldStep } from '../../../src/hold/record.ts'
import { Failure } from '../../../src/model/failure.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { createBook, pinOptions, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'
import { isPinned } from '../../support/pinned/while-pinned.ts'

const steps = [
  'preflight',
  'locked',
  'probed',
  'proven',
  'copied',
  'proven-again',
  'probed-again',
  'released',
  'kept',
] as const satisfies readonly HoldStep[]

const faults = [
  { fault: 'a failure', thrown: () => new Failure('IN_USE', 'made by the test') },
  { fault: 'a defect', thrown: () => new TypeError('made by the test') },
  {
    fault: 'a disk error',
    thrown: () => Object.assign(new Error('EIO: made by the test'), { code: 'EIO', errno: -5 }),
  },
] as const

describe.each(faults)('a pinned snapshot that meets $fault', ({ fault, thrown }) => {
  let fixture: HoldFixture
  let folder: ReturnType<typeof temporaryFolder>
  let file: string
  let program: SqliteProgram
  beforeAll(async () => {
    fixture = await openHoldFixture()
    folder = temporaryFolder()
    file = folder.file('book.db')
    createBook(file, 'wal')
    program = await startSqliteProgram('node', file)
    program.run('update book set title = title')
  })
  afterAll(async () => {
    await program[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
    await fixture[Symbol.asyncDispose]()
  })

  it.each(steps)('after "%s" leaves nothing behind', async (at) => {
    const fail = (): never => {
      throw thrown()
    }
    const ended = await fixture
      .holdBare(file, pinOptions({ on: { [at]: fail } }))
      .catch((error: unknown) => ({ kind: 'thrown', failure: error }))
    expect(ended.kind).not.toBe('snapshot')
    if (fault === 'a defect') expect(ended).toMatchObject({ kind: 'thrown', failure: { name: 'TypeError' } })
    else expect(ended).toMatchObject({ failure: { message: expect.stringMatching(/made by the test|EIO/) } })
    expect(isPinned(file)).toBe(false)
    expect(fixture.remainingFiles()).toEqual([])
    expect(program.run('update book set title = title')).toBe('done')
    expect(program.run('pragma wal_checkpoint(TRUNCATE)')).toBe('[[0,0,0]]')
    expect((await takePinned(fixture, file)).copy).toEqual(soundBook(3))
  })
})
