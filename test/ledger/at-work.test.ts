import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isOfRunningRun } from '../../src/ledger/at-work.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { runAtWork } from '../../src/ledger/run-lock/run-liveness.ts'
import { takeRunLock } from '../../src/ledger/run-lock/run-lock.ts'
import { ownerOfThisRun } from '../../src/ledger/run-lock/run-owner.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { OpenHold } from '../../src/model/event.ts'
import { scratch } from '../support/ledger/sample-events.ts'

const now = Date.now()
const hour = 3_600_000
const run = newRunId()
const hold = (more: Partial<OpenHold> = {}): OpenHold => ({
  holder: 'h',
  run,
  tenant: tenantId('acme'),
  askedAt: now - 1_000,
  endsBy: now + hour,
  leaseId: null,
  fence: null,
  ...more,
})

test('a hold is at work while its run has the run lock, and its times make sense', async () => {
  using folder = scratch()
  const atWork = (more: Partial<OpenHold> = {}): Promise<boolean> =>
    isOfRunningRun(folder.path, 'notes', hold(more), now)
  {
    await using _lock = await takeRunLock(folder.path, 'notes', run)
    expect([await atWork(), (await runAtWork(folder.path, 'notes'))?.run]).toEqual([true, run])
    expect(
      await Promise.all([
        atWork({ endsBy: now - 1 }),
        atWork({ askedAt: now + hour, endsBy: now + 2 * hour }),
        atWork({ run: 'EARLIER' }),
      ]),
    ).toEqual([false, false, false])
  }
  expect([await atWork(), await runAtWork(folder.path, 'notes')]).toEqual([false, null])
})

test.each<[string, unknown]>([
  ['the run is on a machine that cannot be seen from here', { ...ownerOfThisRun(run, false), bootId: 'another' }],
  ['nobody knows who signed the lock', 'garbled'],
])('in doubt the end of its lease decides: %s', async (_why, owner) => {
  using folder = scratch()
  writeFileSync(join(folder.path, 'run-notes.json'), JSON.stringify(owner))
  expect([
    await isOfRunningRun(folder.path, 'notes', hold(), now),
    await isOfRunningRun(folder.path, 'notes', hold({ endsBy: now - 1 }), now),
  ]).toEqual([true, false])
})
