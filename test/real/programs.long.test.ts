/** Each real program beside sixty live checks of each of its files. */
import { expect, it } from 'vitest'
import { whySkipped } from '../support/host/mounts.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { expectUnharmed } from '../support/real/beside-work.ts'
import { startDnsServer, whyNoDnsServer } from '../support/real/dns-server.ts'
import { startLogWatcher, whyNoLogWatcher } from '../support/real/log-watcher.ts'
import { startSyncServer, whyNoSyncServer } from '../support/real/sync-server.ts'

const programs = [
  { name: 'the sync server', why: whyNoSyncServer(), start: startSyncServer },
  { name: 'the name server', why: whyNoDnsServer, start: startDnsServer },
  { name: 'the log watcher', why: whyNoLogWatcher, start: startLogWatcher },
]

for (const { name, why, start } of programs)
  it.skipIf(why !== null)(
    `${name} works on beside sixty checks of each file${whySkipped(why)}`,
    async () => {
      using folder = temporaryFolder()
      await using program = await start(folder.path)
      const { verdicts, branches, done } = await expectUnharmed(program, 60)
      process.stdout.write(`${name}: ${JSON.stringify({ verdicts, branches, done })}\n`)
      expect(done).toBeGreaterThan(60)
    },
    1_200_000,
  )
