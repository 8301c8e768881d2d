/** The slots of a process that examines a chunk: none is kept that it does not use, and it waits for no dead agent. */
import { expect, test, vi } from 'vitest'
import type { FromChunk } from '../../../src/fleet/agent/chunk-messages.ts'
import { SlotsFromAgent } from '../../../src/fleet/agent/slots-from-agent.ts'
import type { TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'

const slot: TakenSlot = { epoch: 'e', generation: 1, rows: [{ scope: 'fleet', slot: 1, fence: '7' }] }

function openSlots() {
  const sent: FromChunk[] = []
  return { sent, slots: new SlotsFromAgent((message) => void sent.push(message)) }
}

test('each question gets its own answer', async () => {
  const { sent, slots } = openSlots()
  const answers = [slots.take(), slots.take()]
  slots.hear(1, slot)
  slots.hear(0, { refused: 'full', why: 'two tenants stand still' })
  expect(await Promise.all(answers)).toEqual([{ refused: 'full', why: 'two tenants stand still' }, slot])
  expect(sent).toEqual([
    { kind: 'take', number: 0 },
    { kind: 'take', number: 1 },
  ])
})

test('a slot that comes after the wait for it has ended goes back', async () => {
  vi.useFakeTimers()
  try {
    const { sent, slots } = openSlots()
    const asked = slots.take()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await asked).toMatchObject({ refused: 'away' })
    slots.hear(0, slot)
    slots.hear(0, { refused: 'full', why: 'late' })
    expect(sent.slice(1)).toEqual([{ kind: 'release', slot }])
  } finally {
    vi.useRealTimers()
  }
})

test('when the agent is gone, who waits is told so, and nobody asks any more', async () => {
  const { sent, slots } = openSlots()
  const asked = slots.take()
  slots.close()
  expect([await asked, await slots.take()]).toMatchObject([{ refused: 'away' }, { refused: 'away' }])
  expect(sent).toHaveLength(1)
})
