/** An authoritative name server of Debian: WAL, with ten handles. */
import { it } from 'vitest'
import { whySkipped } from '../support/host/mounts.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { expectUnharmed } from '../support/real/beside-work.ts'
import { startDnsServer, whyNoDnsServer } from '../support/real/dns-server.ts'

const why = whyNoDnsServer

it.skipIf(why !== null)(`works on beside live checks, which find it sound${whySkipped(why)}`, async () => {
  using folder = temporaryFolder()
  await using program = await startDnsServer(folder.path)
  await expectUnharmed(program, 3)
})
