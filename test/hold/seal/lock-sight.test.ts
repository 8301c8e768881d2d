/** A lock that refuses no reader, as another process sees it (hold/pinned/README.md L15). */
import { statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { seeLock, type LockSight, type LockToSee } from '../../../src/hold/seal/lock-sight.ts'
import { openDescriptor } from '../../../src/host/files/descriptor.ts'
import { tryLock } from '../../../src/host/locks/byte-lock.ts'
import { lockBytes } from '../../../src/sqlite/lock-bytes.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { startOtherProcess, temporaryFolder } from '../../support/host/other-process.ts'
import { noPython } from '../../support/pinned/sqlite-program.ts'
import { startProgram } from '../../support/processes.ts'

let folder: ReturnType<typeof temporaryFolder>
let file: string
beforeEach(() => {
  folder = temporaryFolder()
  file = folder.file('a.db')
  writeFileSync(file, Buffer.alloc(8192))
})
afterEach(() => folder[Symbol.dispose]())

/** Our lock, as the second process would look for it: by another opening of the file. */
function wanted(fields: Partial<LockToSee> = {}): LockToSee {
  const { dev, ino } = statSync(file, { bigint: true })
  return { path: file, dev, ino, kind: 'read', range: lockBytes.shared, ...fields }
}

it('is seen where it stands, and not where it does not', () => {
  expect(seeLock(wanted())).toBe('not-seen')
  using ours = openDescriptor(file, 'read-write')
  tryLock(ours.number, 'read', lockBytes.shared)
  expect(seeLock(wanted())).toBe('seen')
  expect(seeLock(wanted({ kind: 'write' }))).toBe('not-seen')
  expect(seeLock(wanted({ range: { start: lockBytes.pending, length: 1 } }))).toBe('not-seen')
  expect(() => seeLock(wanted({ ino: 1n }))).toThrow('leads to another file')
})

it('is told from the lock of a program that reads', async () => {
  await using other = await startOtherProcess()
  const descriptor = await other.open(file, 'write')
  await other.do({ do: 'lock', descriptor, owner: 'posix', kind: 'read', ...lockBytes.shared })
  expect(seeLock(wanted())).toBe('not-seen')
  using ours = openDescriptor(file, 'read-write')
  tryLock(ours.number, 'read', lockBytes.shared)
  expect(seeLock(wanted())).toBe('seen')
})

const manyLocks = `
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
print('{}', flush=True)
while True:
    for at in range(300): fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, 2 * at)
    fcntl.lockf(descriptor, fcntl.LOCK_UN)`

it.skipIf(noPython !== null)(
  `is seen while another program takes and releases hundreds of locks${whySkipped(noPython)}`,
  async () => {
    await using other = await startOtherProcess()
    const descriptor = await other.open(file, 'write')
    await other.do({ do: 'lock', descriptor, owner: 'posix', kind: 'read', ...lockBytes.shared })
    using ours = openDescriptor(file, 'read-write')
    tryLock(ours.number, 'read', lockBytes.shared)
    await using busy = startProgram('python3', ['-c', manyLocks, folder.file('other')])
    await busy.ready
    const sights = new Set<LockSight>()
    for (let look = 0; look < 400; look++) sights.add(seeLock(wanted()))
    expect([...sights]).toEqual(['seen'])
  },
)
