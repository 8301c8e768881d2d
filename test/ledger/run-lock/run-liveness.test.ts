/** Whether the run that left a hold open is still at work. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { goneRuns } from '../../../src/ledger/run-lock/run-liveness.ts'
import { takeRunLock } from '../../../src/ledger/run-lock/run-lock.ts'
import { ownerOfThisRun } from '../../../src/ledger/run-lock/run-owner.ts'
import { scratch } from '../../support/ledger/sample-events.ts'

const seenIn = async (dir: string, ...runs: readonly string[]): Promise<readonly boolean[]> => {
  const isGone = await goneRuns(dir, 'notes')
  return runs.map(isGone)
}

test('a run is at work while it has the lock of its service; runs before it are gone', async () => {
  using folder = scratch()
  const [run, earlier] = [newRunId(), newRunId()]
  expect(await seenIn(folder.path, run)).toEqual([false]) // Nobody ever had the lock here: nothing is known.
  {
    await using _lock = await takeRunLock(folder.path, 'notes', run)
    expect(await seenIn(folder.path, run, earlier)).toEqual([false, true])
  }
  expect(await seenIn(folder.path, run, earlier)).toEqual([true, true])
})

test('a run that was killed is gone at once', async () => {
  using folder = scratch()
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../support/programs/run-lock-holder.ts'), folder.path, 'notes'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  const run = said.toString().trim().replace('held ', '')
  expect(await seenIn(folder.path, run)).toEqual([false])
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
  expect(await seenIn(folder.path, run)).toEqual([true])
})

test.each([
  [
    'a run of another machine, or of before the last start of this one',
    JSON.stringify({ ...ownerOfThisRun('RUN', false), bootId: 'another' }),
    false,
  ],
  [
    'a run in another pid namespace that has not got the lock any more',
    JSON.stringify({ ...ownerOfThisRun('RUN', false), pidNamespace: 'pid:[1]' }),
    true,
  ],
  ['a file that says nothing', '', false],
])('%s', async (_, text, gone) => {
  using folder = scratch()
  writeFileSync(join(folder.path, 'run-notes.json'), text, { mode: 0o600 })
  expect(await seenIn(folder.path, 'RUN')).toEqual([gone])
})
