/** A log watcher of Debian: its journal is in memory, and nothing is synced. */
import { it } from 'vitest'
import { whySkipped } from '../support/host/mounts.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { expectUnharmed } from '../support/real/beside-work.ts'
import { startLogWatcher, whyNoLogWatcher } from '../support/real/log-watcher.ts'

const why = whyNoLogWatcher

it.skipIf(why !== null)(`works on beside live checks, which find it sound${whySkipped(why)}`, async () => {
  using folder = temporaryFolder()
  await using program = await startLogWatcher(folder.path)
  await expectUnharmed(program, 3)
})
