/** A pause that becomes longer than hold.maxPause allows, and what the next runs do about it. */
import { expect, test } from 'vitest'
import type { HoldStep } from '../../../src/hold/record.ts'
import { openHoldFixture } from '../../support/hold/hold-fixture.ts'
import { startDemo } from '../../support/service/demo-service.ts'

/** Longer than a pause takes on a busy machine. */
const maxPauseMs = 1_500
/** As a disk that does not answer does: nothing of ours goes on. */
const stall = (step: HoldStep): void => {
  if (step === 'proven') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, maxPauseMs + 100)
}

test('the copy is abandoned, the next run pauses no tenant for it, and the one after tries again', async () => {
  await using fixture = await openHoldFixture()
  await using demo = await startDemo({ tenants: 1, bytes: 60_000 })
  const examine = async (
    options: { readonly stalls?: boolean; readonly maxPauseMs?: number } = {},
  ): Promise<unknown> => {
    const { result } = await fixture.examine(demo, 'acme', {
      settings: { maxPauseMs: options.maxPauseMs ?? maxPauseMs },
      ...(options.stalls ? { onStep: stall } : {}),
    })
    const { predictedPauseMs, pauseMs, ranOutMs } = result?.timings ?? {}
    return [
      result?.verdict,
      result?.failure?.code,
      result?.failure?.tenantState,
      result?.failure?.hint.includes('less busy'),
      (predictedPauseMs ?? 0) > maxPauseMs,
      pauseMs !== null,
      (ranOutMs ?? 0) > maxPauseMs,
    ]
  }
  const givenUp = ['inconclusive', 'TOO_LARGE_FOR_PAUSE', 'active', true, false, true, true]
  const sound = ['sound', undefined, undefined, undefined, false, true, false]
  expect(await examine({ stalls: true })).toEqual(givenUp)
  expect(await examine()).toEqual(['failed', 'TOO_LARGE_FOR_PAUSE', 'untouched', false, true, false, false])
  expect(await examine()).toEqual(sound)
  expect(await examine()).toEqual(sound)

  expect(await examine({ stalls: true })).toEqual(givenUp)
  // With a higher limit the pause is allowed.
  expect(await examine({ maxPauseMs: 5_000 })).toEqual(['sound', undefined, undefined, undefined, true, true, false])
})
