/** Where locks exclude nobody, a pinned snapshot stops the run, and nothing was written (hold/pinned/README.md L15). */
import { readdirSync, readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { Probe } from '../../../src/hold/seal/probe.ts'
import { pathOf } from '../../../src/host/files/descriptor.ts'
import { unlock } from '../../../src/host/locks/byte-lock.ts'
import { makeLyingLocks, noCompiler } from '../../support/hold/lying-locks.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { pinOptions } from '../../support/pinned/pinned-files.ts'
import { startSqliteProgram, type SqliteProgram } from '../../support/pinned/sqlite-program.ts'

const insert = "insert into book(title) values ('more')"
const lied = {
  result: { failure: { code: 'LOCK_NOT_HONOURED', tenantState: 'untouched' } },
  stopped: { code: 'LOCK_NOT_HONOURED' },
}

describe('a pinned snapshot stops the run', () => {
  let fixture: BookScene['fixture']
  let folder: BookScene['folder']
  let file: string
  let program: SqliteProgram
  beforeEachBook('wal', (scene) => ({ fixture, folder, file } = scene))
  beforeEach(async () => {
    program = await startSqliteProgram('node', file)
    program.run(insert)
    return async () => {
      expect(fixture.remainingFiles()).toEqual([])
      expect(program.run(insert)).toBe('done')
      await program[Symbol.asyncDispose]()
    }
  })

  it.skipIf(noCompiler !== null)(
    `when SQLite in a second process is granted a checkpoint; it can write nothing${whySkipped(noCompiler)}`,
    async () => {
      await using probe = Probe.start({ LD_PRELOAD: makeLyingLocks(folder.path) })
      const processes = { probe, guardian: fixture.processes.guardian, [Symbol.asyncDispose]: () => Promise.resolve() }
      const before = [readFileSync(file), readFileSync(`${file}-wal`)]
      expect(await fixture.examineBare(file, { ...pinOptions({}), processes })).toMatchObject(lied)
      expect([readFileSync(file), readFileSync(`${file}-wal`)]).toEqual(before)
    },
  )

  it.each(['database', '-shm'] as const)(
    'when our locks on the %s file are gone without a word before the copy',
    async (which) => {
      const part = which === 'database' ? '' : which
      const drop = (): void => dropLocksOn(file + part)
      expect(await fixture.examineBare(file, pinOptions({ on: { proven: drop } }))).toMatchObject(lied)
    },
  )
})

/** Like a mount whose locks have no effect, or a library that drops them. This process has the locks. */
function dropLocksOn(file: string): void {
  const ours = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((number) => leadsTo(number, file))
  expect(ours).not.toEqual([])
  for (const descriptor of ours) unlock(descriptor, { start: 0, length: 0 })
}

function leadsTo(descriptor: number, file: string): boolean {
  try {
    return pathOf(descriptor) === file
  } catch {
    return false // The descriptor of the listing itself is closed again.
  }
}
