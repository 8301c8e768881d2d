/** Naming what is in the way, if it cannot be looked up whether it is the service. */
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { constants } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { LiveFiles } from '../../../src/hold/live/live-files.ts'
import { resolveLivePath } from '../../../src/hold/live/live-path.ts'
import { HoldRecord } from '../../../src/hold/record.ts'
import { conflictNamer } from '../../../src/hold/seal/conflict.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { startOtherProcess, temporaryFolder } from '../../support/host/other-process.ts'

afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

/** As without a free descriptor: the kernel's list of sockets cannot be read. */
function hideSockets(): void {
  const shortage = Object.assign(new Error('EMFILE'), { errno: -constants.errno.EMFILE, code: 'EMFILE' })
  const { readFile } = fs
  const refuse = (...asked: Parameters<typeof readFile>): ReturnType<typeof readFile> =>
    asked[0] === '/proc/net/unix' ? Promise.reject(shortage) : readFile(...asked)
  vi.spyOn(fs, 'readFile').mockImplementation(refuse)
  syncBuiltinESMExports()
}

test.each([
  ['is another program', /^another program has it open: process \d+ [^;]*$/],
  ['may be the service', /^another program .*; not known: whether it is the service: too many open files \(EMFILE\)$/],
] as const)('the holder %s', async (which, message) => {
  using folder = temporaryFolder()
  create(folder.file('a.db'), 4096, fillEvents(10))
  using files = new LiveFiles(await resolveLivePath(folder.file('a.db'), null), null)
  await files.openNamed()
  await using other = await startOtherProcess()
  await other.open(folder.file('a.db'), 'write')
  if (which === 'may be the service') hideSockets()

  const record = new HoldRecord(() => undefined)
  const nameConflict = conflictNamer(files, { socket: folder.file('admin.sock') }, record, null)
  const failure = await nameConflict('IN_USE', { who: 'another program', pid: null, does: 'has it open' })
  expect([failure.code, failure.message]).toEqual(['IN_USE', expect.stringMatching(message)])
  expect(record.evidence.holders.map(({ pid }) => pid)).toEqual([other.pid])
  expect(record.evidence.unseen.some((one) => one.startsWith('whether it is the service'))).toBe(
    which === 'may be the service',
  )
})
