/** When the guardian kills a process that it watches. */
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { eventually, isRunning, startNode } from '../../support/processes.ts'

test.each([
  ['standing', { code: null, signal: 'SIGKILL' }],
  ['ended', { code: 0, signal: null }],
] as const)('a watch that was taken over from the hold before and is %s at its deadline', async (state, outcome) => {
  await using holder = startNode('test/support/programs/guardian/watched.ts', [state])
  expect(await holder.ready).toEqual({ takenOver: true, asked: 60_000 })
  expect(await holder.ended).toMatchObject(outcome)
})

test('a process without a watch is not killed, however long it is stopped', async () => {
  await using holder = startNode('test/support/programs/guardian/blocked.ts', [])
  expect(await holder.ended).toMatchObject({ code: 0, signal: null })
})

test('a holder is not killed for a watch that has ended while the guardian was stopped', async () => {
  await using holder = startNode('test/support/programs/guardian/late-guardian.ts', [])
  expect(await holder.ended).toMatchObject({ code: 0, signal: null })
  expect(await holder.ready).toEqual({ guardians: 1 })
})

test('whoever reads the errors of a run that was killed does not wait until its tenants are resumed', async () => {
  using folder = temporaryFolder()
  const slow = folder.file('slow.cjs')
  writeFileSync(slow, 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_000); process.exit(0)')
  await using holder = startNode('test/support/programs/guardian/slow-resume.ts', [slow])
  const guardian = Number((await holder.ready)['guardian'])
  expect(await holder.ended).toMatchObject({
    signal: 'SIGKILL',
    stderr: expect.stringContaining('the guardian has ended this run (SIGKILL)'),
  })
  expect(isRunning(guardian), 'it waits for the process that resumes them').toBe(true)
  await eventually('the guardian ends', () => !isRunning(guardian))
})
