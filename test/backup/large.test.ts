/** A large database is compressed by a child process; whatever becomes of the child, nothing half is left. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tenantId, type SnapshotPath } from '../../src/model/brand.ts'
import { Failure } from '../../src/model/failure.ts'
import { noEvidence } from '../../src/model/result/evidence.ts'
import { day, never, useStore } from '../support/backup/sound-files.ts'
import { create } from '../support/databases/create-database.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { descendantsRunning } from '../support/processes.ts'

const store = useStore()
const folder = temporaryFolder()
const large = folder.file('large.db') as SnapshotPath
beforeAll(() => {
  create(large, 4096, (db) => {
    db.exec('CREATE TABLE blobs(id INTEGER PRIMARY KEY, bytes BLOB)')
    const insert = db.prepare('INSERT INTO blobs(bytes) VALUES(randomblob(200000))')
    for (let row = 0; row < 150; row++) insert.run()
  })
})
afterAll(() => folder[Symbol.dispose]())

const about = {
  tenant: tenantId('acme'),
  path: '/srv/notes/acme.db',
  service: null,
  origin: 'held' as const,
  takenAt: day(1),
  content: { format: '1', tables: [] },
  evidence: noEvidence,
  tool: { version: '0.0.0', sqlite: '' },
}

/** Our children that compress. */
const compressChildren = (): readonly number[] => descendantsRunning(process.pid, 'compress-child')

async function whenCompressing(): Promise<number> {
  for (;;) {
    const [pid] = compressChildren()
    if (pid !== undefined) return pid
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

test('it comes back byte for byte, and no child is left', async () => {
  expect(statSync(large).size).toBeGreaterThan(16_000_000)
  const keeping = store.backups.keep(large, about, never)
  const pid = await whenCompressing()
  expect(readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[18]).toBe('10') // Its niceness, as that of a check.
  const { backup } = await keeping
  expect(compressChildren()).toEqual([])
  const restored = await store.backups.restore(backup.id, store.file('back.db'), never)
  expect(readFileSync(restored).equals(readFileSync(large))).toBe(true)
})

test('a child that the kernel kills: the backup fails in words, and nothing is left', async () => {
  const keeping = store.backups.keep(large, about, never)
  const failed = expect(keeping).rejects.toMatchObject({
    code: 'READ_FAILED',
    message: expect.stringContaining('the process that compressed') as unknown,
  })
  process.kill(await whenCompressing(), 'SIGKILL')
  await failed
  expect(readdirSync(store.folderOf())).toEqual([])
})

test('an interruption ends the child, and is its own reason', async () => {
  const controller = new AbortController()
  const keeping = store.backups.keep(large, about, controller.signal)
  const interrupted = expect(keeping).rejects.toMatchObject({ code: 'INTERRUPTED' })
  await whenCompressing()
  controller.abort(new Failure('INTERRUPTED', 'stopped by the test'))
  await interrupted
  expect([compressChildren(), readdirSync(store.folderOf())]).toEqual([[], []])
})
