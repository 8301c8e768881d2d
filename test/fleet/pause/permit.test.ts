/**
 * The permit of a run: the window, what is given back, and what is left alone. The source answers as a test says. The
 * clock by which a window is counted goes on only when a test says so, so that no machine is too slow for one.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SlotPermit, type SlotRefusal, type SlotSource, type TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'
import { monotonicMs, sleep } from '../../../src/host/clock.ts'

const windowMs = 400
const never = new AbortController().signal
const full: SlotRefusal = { refused: 'full', why: 'as many tenants are paused as the fleet allows' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['hrtime'] }))
afterEach(() => void vi.useRealTimers())

const pass = (ms: number): void => void vi.advanceTimersByTime(ms)

class Source implements SlotSource {
  readonly released: string[] = []
  readonly answers: (SlotRefusal | number)[]
  /** Of each question and each granted slot, in ms of the real clock. */
  readonly askedAt: number[] = []
  readonly answeredAt: number[] = []

  /** @param answers a refusal, or how many ms pass until a slot is granted; the last one is repeated */
  constructor(...answers: (SlotRefusal | number)[]) {
    this.answers = answers
  }

  async take(): Promise<TakenSlot | SlotRefusal> {
    const answer = this.answers[Math.min(this.asked, this.answers.length - 1)] ?? 0
    this.askedAt.push(performance.now())
    if (typeof answer !== 'number') return answer
    const fence = String(this.asked)
    await sleep(1)
    pass(answer)
    this.answeredAt.push(performance.now())
    return { epoch: 'e', generation: 1, rows: [{ scope: 'fleet', slot: 1, fence }] }
  }

  get asked(): number {
    return this.askedAt.length
  }

  release({ rows }: TakenSlot): void {
    this.released.push(rows[0]?.fence ?? '')
  }
}

test('one slot serves one tenant after the other within its window, and goes back when it is not used', async () => {
  const source = new Source(1) // Each slot begins at another time.
  using permit = new SlotPermit(source, windowMs)
  const startedMs = monotonicMs()
  const begins = new Set<number>()
  for (let hold = 0; hold < 5; hold++) {
    using slot = await permit.takeSlot(never)
    slot.markAsked()
    slot.markAnswered()
    begins.add(slot.beginsByMs)
  }
  expect(source.asked).toBe(begins.size)
  expect(Math.min(...begins)).toBeGreaterThanOrEqual(startedMs + windowMs)
  await expect.poll(() => source.released.length).toBe(begins.size)
})

test('the window counts from before the question, and a slot that comes after it goes back unused', async () => {
  const source = new Source(windowMs + 50, 150)
  using permit = new SlotPermit(source, windowMs)
  using slot = await permit.takeSlot(never)
  expect([source.asked, source.released]).toEqual([2, ['1']])
  expect(slot.beginsByMs - monotonicMs()).toBeLessThanOrEqual(windowMs - 150)
})

test('while answers come too late, it asks less and less often, whoever waits; one in time ends that', async () => {
  const late = windowMs + 50
  const source = new Source(late, late, late, late, late, late, 0, late, 0)
  using permit = new SlotPermit(source, windowMs)
  const over = new AbortController()
  const waiting = permit.waitForSlot(over.signal)
  while (source.answeredAt.length < 3) await sleep(5)
  over.abort(new Error('the run ends'))
  await expect(waiting).rejects.toThrow('the run ends')
  ;(await permit.takeSlot(never))[Symbol.dispose]() // Another one goes on with the same waits.
  expect(source.asked).toBe(7)
  for (const [before, leastMs] of [25, 50, 100, 200, 400, 800].entries()) {
    const waitedMs = (source.askedAt[before + 1] ?? 0) - (source.answeredAt[before] ?? 0)
    expect(waitedMs).toBeGreaterThanOrEqual(leastMs - 2) // A timer of Node may be early by one ms.
  }
  pass(2 * windowMs)
  ;(await permit.takeSlot(never))[Symbol.dispose]()
  expect(source.asked).toBe(9)
  const afterOneInTimeMs = (source.askedAt[8] ?? 0) - (source.answeredAt[7] ?? 0)
  expect(afterOneInTimeMs).toBeLessThan(1_600) // At most 50 on a fast machine; 1,600 at least without the one in time.
})

test('who waits for the next question takes a slot that another hold leaves', async () => {
  const source = new Source(0, { ...full, againMs: 60_000 })
  using permit = new SlotPermit(source, windowMs)
  const first = await permit.takeSlot(never)
  const waiting = permit.waitForSlot(never)
  while (source.asked < 2) await sleep(10) // The next wait is of 15 s at least. `poll` would move the clock.
  first[Symbol.dispose]()
  await waiting
  expect(source.asked).toBe(2)
})

test('several that wait for a full fleet ask no more often than one', async () => {
  const source = new Source(full)
  using permit = new SlotPermit(source, windowMs)
  const over = new AbortController()
  const waiting = [permit.waitForSlot(over.signal), permit.takeSlot(over.signal), permit.takeSlot(over.signal)]
  const ended = Promise.allSettled(waiting)
  await sleep(3_000) // Three questions at first, which double the wait three times.
  expect(source.asked).toBeGreaterThan(4)
  expect(source.asked).toBeLessThanOrEqual(3 + 8)
  over.abort(new Error('the run ends'))
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})

test('after its window a slot serves nobody', async () => {
  const source = new Source(0)
  using permit = new SlotPermit(source, windowMs)
  const slot = await permit.takeSlot(never)
  pass(windowMs + 20)
  slot[Symbol.dispose]()
  expect(source.released).toEqual(['1'])
  using other = await permit.takeSlot(never)
  expect([source.asked, other.beginsByMs > slot.beginsByMs]).toEqual([2, true])
})

test('a slot whose tenant may be paused is left alone', async () => {
  const source = new Source(0)
  {
    using permit = new SlotPermit(source, windowMs)
    const slot = await permit.takeSlot(never)
    slot.markAsked()
    slot[Symbol.dispose]()
    using other = await permit.takeSlot(never)
    expect([source.asked, other.beginsByMs >= slot.beginsByMs]).toEqual([2, true])
  }
  await sleep(windowMs)
  expect(source.released).toEqual(['2'])
})

test('two tenants at the same time have two slots', async () => {
  const source = new Source(0)
  using permit = new SlotPermit(source, windowMs)
  using _one = await permit.takeSlot(never)
  using _other = await permit.takeSlot(never)
  expect(source.asked).toBe(2)
})

test('a full fleet is asked again, and each time less often', async () => {
  const source = new Source(full, full, full, 0)
  using permit = new SlotPermit(source, windowMs)
  using _slot = await permit.takeSlot(never)
  expect(source.asked).toBe(4)
})

test('a full fleet of many hosts is asked as rarely as it says', async () => {
  const source = new Source({ ...full, againMs: 1_500 })
  using permit = new SlotPermit(source, windowMs)
  const over = new AbortController()
  const waiting = permit.waitForSlot(over.signal)
  const beganMs = performance.now()
  while (source.asked < 4) await sleep(10) // Waits of at most 750 ms and twice 1,500 ms.
  expect(performance.now() - beganMs).toBeGreaterThan((750 + 2 * 1_500) / 2)
  over.abort(new Error('the run ends'))
  await expect(waiting).rejects.toThrow('the run ends')
})

test.each(['stopped', 'away'] as const)('if pauses are %s, what was prepared does not wait', async (refused) => {
  const source = new Source({ refused, why: 'somebody stopped them' }, 0)
  using permit = new SlotPermit(source, windowMs)
  await expect(permit.takeSlot(never)).rejects.toMatchObject({
    code: 'PAUSE_NOT_GRANTED',
    message: 'no tenant may be paused now: somebody stopped them',
    tenantState: 'untouched',
  })
})

test('who waits with nothing open gets the slot that comes', async () => {
  const source = new Source({ refused: 'stopped', why: 'somebody stopped them' }, full, 0)
  using permit = new SlotPermit(source, windowMs)
  await permit.waitForSlot(never)
  using _slot = await permit.takeSlot(never)
  expect(source.asked).toBe(3)
})

test('several that wait share one slot, and if one of them is interrupted the others go on', async () => {
  const source = new Source(full, full, full, 0)
  using permit = new SlotPermit(source, windowMs)
  const interrupt = new AbortController()
  const first = permit.waitForSlot(interrupt.signal)
  const others = Promise.all([permit.waitForSlot(never), permit.waitForSlot(never)])
  interrupt.abort(new Error('interrupted'))
  await expect(first).rejects.toThrow('interrupted')
  await others
  using _slot = await permit.takeSlot(never)
  expect(source.asked).toBe(4)
})

test('the rest of a window serves nobody', async () => {
  const source = new Source(0)
  using permit = new SlotPermit(source, windowMs)
  const slot = await permit.takeSlot(never)
  pass(windowMs * 0.8)
  slot[Symbol.dispose]()
  using _other = await permit.takeSlot(never)
  expect([source.asked, source.released]).toEqual([2, ['1']])
})

test('who is interrupted waits no longer, and the slot that still comes goes back', async () => {
  const source = new Source(0)
  using permit = new SlotPermit(source, windowMs)
  const interrupt = new AbortController()
  const entering = permit.takeSlot(interrupt.signal)
  interrupt.abort(new Error('interrupted'))
  await expect(entering).rejects.toThrow('interrupted')
  await expect.poll(() => source.released).toEqual(['1'])
})

test('at the end everything that is idle goes back, and what is used then goes back when it is not', async () => {
  const source = new Source(0)
  const permit = new SlotPermit(source, 60_000)
  const slot = await permit.takeSlot(never)
  await permit.waitForSlot(never)
  permit[Symbol.dispose]()
  expect(source.released).toEqual(['2'])
  slot[Symbol.dispose]()
  expect(source.released).toEqual(['2', '1'])
})

test('a slot that is disposed of twice goes back once', async () => {
  const source = new Source(0)
  using permit = new SlotPermit(source, windowMs)
  const slot = await permit.takeSlot(never)
  slot[Symbol.dispose]()
  slot[Symbol.dispose]()
  using _other = await permit.takeSlot(never)
  using _third = await permit.takeSlot(never)
  expect(source.asked).toBe(2)
})

test('what was prepared waits for a full fleet for 15 s, and no longer', async () => {
  const source = new Source(full)
  using permit = new SlotPermit(source, windowMs)
  let isOver = false
  const entering = permit.takeSlot(never).finally(() => (isOver = true))
  entering.catch(() => undefined) // It is awaited below.
  pass(14_000)
  await expect.poll(() => source.asked).toBeGreaterThan(2)
  expect(isOver).toBe(false)
  pass(1_000)
  await expect(entering).rejects.toMatchObject({ code: 'PAUSE_NOT_GRANTED' })
})
