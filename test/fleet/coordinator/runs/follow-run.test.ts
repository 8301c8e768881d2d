/** A command that waits for a run waits through an outage of the database, and not for ever. */
import { expect, test, vi } from 'vitest'
import { followRun } from '../../../../src/fleet/coordinator/runs/follow-run.ts'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { newRunId } from '../../../../src/ledger/run-lock/run-id.ts'
import { Failure } from '../../../../src/model/failure.ts'

const { signal } = new AbortController()
const minute = 60_000

/** The run ends after two hours. */
async function follow(isAway: (minute: number) => boolean): Promise<unknown> {
  vi.useFakeTimers()
  using _clock = { [Symbol.dispose]: () => vi.useRealTimers() }
  const began = Date.now()
  const minutes = (): number => (Date.now() - began) / minute
  const query = (): Promise<unknown> =>
    isAway(minutes())
      ? Promise.reject(new Failure('FLEET_UNREACHABLE', 'no answer'))
      : Promise.resolve({ rows: [{ state: minutes() > 120 ? 'done' : 'fed' }], rowCount: 1 })
  const following = followRun({ query } as unknown as FleetDatabase, newRunId(), () => undefined, signal)
  const ended = following.then(
    ({ state }) => state,
    (error: unknown) => error,
  )
  await vi.advanceTimersByTimeAsync(121 * minute)
  return await ended
}

test('outages of some minutes are waited through, and one of half an hour is told', async () => {
  expect(await follow((at) => at % 30 > 5)).toBe('done')
  expect(await follow((at) => at > 5)).toMatchObject({ code: 'FLEET_UNREACHABLE' })
})
