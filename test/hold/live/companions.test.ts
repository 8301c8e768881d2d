/** Companions of a live set that our user may not see: they may be there, so the file is refused. */
import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { reportOf, single, otherUser, whyNoOtherUser } from '../../support/cli/program.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const whyNot = otherUser === null ? 'needs root' : whyNoOtherUser()

test.skipIf(whyNot !== null)(
  `a link whose WAL leads where our user may not look is refused, and not held without that WAL${whySkipped(whyNot)}`,
  async () => {
    using folder = temporaryFolder()
    chmodSync(folder.path, 0o755)
    create(folder.file('real.db'), 4096, fillEvents(30))
    for (const name of ['open', 'closed']) mkdirSync(folder.file(name), { mode: name === 'open' ? 0o755 : 0o700 })
    symlinkSync(folder.file('real.db'), folder.file('open/link.db'))
    symlinkSync(folder.file('closed/link.db-wal'), folder.file('open/link.db-wal'))
    const { uid = 0, gid = 0 } = otherUser ?? {}
    chownSync(folder.file('real.db'), uid, gid)
    const report = await reportOf(['check', folder.file('open/link.db')], { as: { uid, gid } })
    expect(single(report).failure).toMatchObject({
      code: 'NO_PERMISSION',
      message: expect.stringContaining(`see whether there is a file ${folder.file('open/link.db-wal')}`) as string,
    })
  },
)
