/** A sync server for budgets: one file is open all day, one for each request, both with a rollback journal. */
import { it } from 'vitest'
import { whySkipped } from '../support/host/mounts.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { expectUnharmed } from '../support/real/beside-work.ts'
import { startSyncServer, whyNoSyncServer } from '../support/real/sync-server.ts'

const why = whyNoSyncServer()

it.skipIf(why !== null)(`works on beside live checks, which find it sound${whySkipped(why)}`, async () => {
  using folder = temporaryFolder()
  await using program = await startSyncServer(folder.path)
  await expectUnharmed(program, 3)
})
