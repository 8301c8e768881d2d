/**
 * Programs that write a file without SQLite's locks (hold/pinned/README.md L10). The pin does not keep them out; the
 * proofs show them. So there is no snapshot of a moment that never was, and no damage is reported that is not there.
 */
import { mkdtempSync } from 'node:fs'
import { expect, it } from 'vitest'
import { whySkipped } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { judgeBook, makeBook } from '../../support/live/book.ts'
import { checkLive } from '../../support/live/check-live.ts'
import { startCrowd, whyNoPython } from '../../support/live/crowd.ts'
import { eventually, repository, startProgram } from '../../support/processes.ts'

const program = `${repository}test/support/programs/live/rude.py`
const checks = 2

/** So that a mixture of two states shows. */
async function advance(file: string, folder: string): Promise<void> {
  await using crowd = await startCrowd({ file, folder, members: ['node'], orderly: true })
  await eventually('many transactions', () => crowd.acknowledged() > 200)
  await crowd.end()
}

it.skipIf(whyNoPython !== null).each(['overwrite', 'rename', 'unix-none', 'unix-dotfile'])(
  `no mixture of two states is sound or damaged (%s)${whySkipped(whyNoPython)}`,
  async (how) => {
    using folder = temporaryFolder()
    const file = folder.file('book.db')
    const others = ['one', 'other'].map((name) => folder.file(name))
    for (const path of [file, ...others]) makeBook(path, 'wal', 3_000_000)
    await advance(folder.file('other'), folder.file('advancing'))
    // A program that keeps to the locks is connected, so the WAL is pinned.
    const crowd = folder.file('crowd')
    await using _reader = await startCrowd({ file, folder: crowd, members: ['reader'], orderly: true })
    await using rude = startProgram('python3', [program, how, file, ...others])
    const said: string[] = []
    for (let time = 0; time < checks; time++) {
      const acts = rude.stdout().length
      const { said: one, copy } = await checkLive(file, mkdtempSync(folder.file('kept-')))
      said.push(one)
      expect(one).not.toMatch(/^damaged/)
      if (one === 'sound') expect(judgeBook(copy ?? '').wrong).toBeNull()
      await eventually('it goes on writing', () => rude.stdout().length > acts)
    }
    expect(said).toHaveLength(checks)
  },
)
