/** When the guardian kills a process that it watches. */
import { expect, test } from 'vitest'
import { startNode } from '../../support/processes.ts'

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
