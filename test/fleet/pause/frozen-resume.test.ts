/** A service with command hooks has no lease: with a slot, the guardian watches until the tenant was seen serving. */
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sleep } from '../../../src/host/clock.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { eventually, isRunning, startNode } from '../../support/processes.ts'

test.each([
  ['with a slot it is killed, and its tenant resumed', '1000', false],
  ['without one it waits for whoever wakes it', 'none', true],
])('a holder freezes right before its resume command: %s', async (_, window, waits) => {
  using folder = makeFolder()
  const mark = folder.in('paused')
  const program = 'test/support/programs/fleet/frozen-resume.ts'
  const file = makeDatabase(folder.in('acme.db'))
  await using holder = startNode(program, [folder.path, file, mark, window])
  await holder.ready
  expect(existsSync(mark)).toBe(true)
  // Window, timeout of the command and longest hold are 5.5 s.
  if (waits) await sleep(7_000)
  else await eventually('it is resumed', () => !existsSync(mark))
  expect([existsSync(mark), isRunning(holder.pid)]).toEqual([waits, waits])
  holder.kill('SIGKILL')
  await eventually('it is resumed in the end', () => !existsSync(mark))
})
