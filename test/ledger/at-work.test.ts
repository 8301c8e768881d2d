import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAtWork, runAtWork } from '../../src/ledger/at-work.ts'
import { ourselves } from '../../src/ledger/run-owner.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { OpenHold } from '../../src/model/event.ts'
import { startTimeOf } from '../../src/host/processes.ts'
import { scratch } from './sample.ts'

const now = Date.now()
const hour = 3_600_000
const hold = (more: Partial<OpenHold> = {}): OpenHold => ({ holder: 'h', run: 'RUN', tenant: tenantId('acme'), askedAt: now - 1_000, endsBy: now + hour, leaseId: null, fence: null, ...more })
const sign = (dir: string, owner: unknown): void => writeFileSync(join(dir, 'run-notes.json'), JSON.stringify(owner))

test('a hold is at work while its run is there, and left behind once that is killed, though nobody has waited for it yet', async () => {
  using folder = scratch()
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const owner = { ...ourselves('RUN'), pid: child.pid ?? 0, startTime: startTimeOf(child.pid ?? 0) ?? '' }
  sign(folder.path, owner)
  expect([await isAtWork(folder.path, 'notes', hold(), now), (await runAtWork(folder.path, 'notes'))?.run]).toEqual([true, 'RUN'])
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
  expect([await isAtWork(folder.path, 'notes', hold(), now), await runAtWork(folder.path, 'notes')]).toEqual([false, null])
})

test.each<[string, unknown, Partial<OpenHold>, boolean]>([
  ['its lease must have ended', ourselves('RUN'), { endsBy: now - 1 }, false],
  ['it was asked for at a time that lies ahead', ourselves('RUN'), { askedAt: now + hour, endsBy: now + 2 * hour }, false],
  ['the lock has gone to another run since', ourselves('LATER'), {}, false],
  ['the run is on a machine that cannot be seen from here', { ...ourselves('RUN'), bootId: 'another' }, {}, true],
  ['nobody knows who signed the lock', 'garbled', {}, true],
])('%s', async (_why, owner, more, atWork) => {
  using folder = scratch()
  sign(folder.path, owner)
  expect(await isAtWork(folder.path, 'notes', hold(more), now)).toBe(atWork)
})
