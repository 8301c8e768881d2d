/** Requests for a triage in the background, as a monitor makes them again and again. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acceptRequest, readRequest } from '../../../src/ledger/background/requests.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { Failure } from '../../../src/model/failure.ts'
import { orFailure } from '../../../src/model/or-failure.ts'
import { scratch } from '../../support/ledger/sample-events.ts'

test('a request that cannot be recorded does not refuse the next one of the same monitor', async () => {
  using folder = scratch()
  const asking = { monitor: 'notes', now: Date.now() }
  const ask = async (id: string): Promise<string | null> => {
    const accepted = await orFailure(acceptRequest(folder.path, { id, by: 'monit', monit: null }, asking))
    if (accepted instanceof Failure) return accepted.code
    accepted[Symbol.dispose]()
    return null
  }
  const [taken, next, last] = [newRunId(), newRunId(), newRunId()]
  const place = join(folder.path, 'triage', `${taken}.request`)
  mkdirSync(place, { recursive: true, mode: 0o700 }) // Where the request would be.
  expect(await ask(taken)).not.toBeNull()
  rmSync(place, { recursive: true })
  expect([await ask(next), await ask(last)]).toEqual([null, 'TOO_SOON'])
})

test('a request is kept although fifty were recorded while the clock was ahead', async () => {
  using folder = scratch()
  const ask = async (now: number): Promise<string> => {
    const id = newRunId(now)
    const request = { id, by: 'command', monit: null } as const
    using _accepted = await acceptRequest(folder.path, request, { monitor: null, now })
    return id
  }
  const ahead = Date.now() + 366 * 86_400_000
  for (let at = 0; at < 50; at++) await ask(ahead + at)
  const id = await ask(Date.now())
  expect(await readRequest(folder.path, id)).toMatchObject({ id })
})
