/** How a chunk ends early: no other tenant is paused, and one that is paused comes to its end. */
import { expect, test, vi } from 'vitest'
import { ChunkStop } from '../../../src/fleet/agent/chunk-stop.ts'
import type { SlotRefusal, TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'
import type { PausePermit, PermitSlot } from '../../../src/hold/pause/pause-permit.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { Failure } from '../../../src/model/failure.ts'

const acme = { tenant: tenantId('acme'), named: '/srv/acme.db' }
const none = { done: 0, total: 1, holding: [], checking: [] }
const slot: TakenSlot = { epoch: 'e', generation: 1, rows: [{ scope: 'fleet', slot: 1, fence: '7' }] }

test('without a tenant under way everything ends immediately', () => {
  const stop = new ChunkStop()
  expect([stop.hasBegun, stop.waitSignal.aborted, stop.interruptSignal.aborted]).toEqual([false, false, false])
  stop.begin('the agent asked for it')
  expect([stop.hasBegun, stop.waitSignal.aborted, stop.interruptSignal.aborted]).toEqual([true, true, true])
  expect(stop.interruptSignal.reason).toMatchObject({ code: 'INTERRUPTED', message: 'the agent asked for it' })
})

test('a tenant that may be paused, or is being checked, comes to its end first', () => {
  const stop = new ChunkStop()
  stop.considerStep(acme, 'preflight')
  stop.considerStep(acme, 'asked')
  stop.begin('why')
  expect([stop.waitSignal.aborted, stop.interruptSignal.aborted]).toEqual([true, false])
  stop.considerProgress({ ...none, holding: ['acme'] })
  stop.considerProgress({ ...none, checking: [{ name: 'acme', pages: null }] })
  expect(stop.interruptSignal.aborted).toBe(false)
  stop.considerProgress(none)
  expect(stop.interruptSignal.aborted).toBe(true)
})

test('a hold that begins again has paused no one yet, and a signal does not wait for one that has', () => {
  const again = new ChunkStop()
  again.considerStep(acme, 'asked')
  again.begin('why')
  again.considerStep(acme, 'preflight')
  expect(again.interruptSignal.aborted).toBe(true)
  const signalled = new ChunkStop()
  signalled.considerStep(acme, 'asked')
  signalled.interrupt(new Failure('INTERRUPTED', 'a signal'))
  expect(signalled.interruptSignal.aborted).toBe(true)
})

test('after it has begun no slot is given, also not one that was taken before', async () => {
  const stop = new ChunkStop()
  let entered = 0
  const permit: PausePermit = {
    takeSlot: () => Promise.resolve({ number: ++entered } as unknown as PermitSlot),
    waitForSlot: () => Promise.resolve(void entered++),
  }
  const stopped = stop.limitPermit(permit)
  await stopped.waitForSlot(new AbortController().signal)
  await stopped.takeSlot(new AbortController().signal)
  stop.begin('why')
  const over = new AbortController()
  const asked = [stopped.takeSlot(over.signal), stopped.waitForSlot(over.signal)]
  over.abort(new Error('the run ends'))
  for (const one of asked) await expect(one).rejects.toThrow('the run ends')
  expect(entered).toBe(2)
})

test('it ends when no tenant may be paused for 30 s, and not while the fleet is only full', async () => {
  vi.useFakeTimers({ toFake: ['hrtime'] })
  using _clock = { [Symbol.dispose]: () => vi.useRealTimers() }
  const stop = new ChunkStop()
  let answer: TakenSlot | SlotRefusal = { refused: 'full', why: 'two stand still' }
  const slots = stop.watchSlots({ take: () => Promise.resolve(answer), release: () => undefined })
  const askAfter = async (ms: number, given: TakenSlot | SlotRefusal): Promise<boolean> => {
    vi.advanceTimersByTime(ms)
    answer = given
    expect(await slots.take()).toEqual(given)
    return stop.hasBegun
  }
  const away: SlotRefusal = { refused: 'away', why: 'no answer' }
  expect(await askAfter(0, { refused: 'full', why: 'two stand still' })).toBe(false)
  expect(await askAfter(60_000, { refused: 'full', why: 'two stand still' })).toBe(false)
  expect(await askAfter(60_000, away)).toBe(false)
  expect(await askAfter(30_000, slot)).toBe(false)
  expect(await askAfter(60_000, { refused: 'stopped', why: 'by a person' })).toBe(false)
  expect(await askAfter(29_900, away)).toBe(false)
  expect(await askAfter(200, away)).toBe(true)
  expect(stop.interruptSignal.reason).toMatchObject({ message: 'no answer' })
})
