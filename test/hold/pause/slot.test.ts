/** What happens in a pause slot, of which a run has few: the pause, and what must not happen beside another pause. */
import { describe, expect, it } from 'vitest'
import { unbounded } from '../../../src/hold/hold.ts'
import { useHold } from '../../support/hold-set-up.ts'

describe('a tenant of a service', () => {
  const hold = useHold({ tenants: 1, bytes: 20_000 })

  const slotsAndSteps = async (warmAboveBytes: number): Promise<readonly string[]> => {
    const order: string[] = []
    const held = await hold.fixture.holdTenant(hold.demo, 'acme', {
      settings: { warmAboveBytes },
      onStep: (step) => order.push(step),
      bounds: {
        ...unbounded,
        inPauseSlot: async (work) => {
          order.push('slot')
          try {
            return await work()
          } finally {
            order.push('slot ends')
          }
        },
      },
    })
    if (held.kind !== 'snapshot') throw held.failure
    await held.snapshot[Symbol.asyncDispose]()
    return order.filter((one) => ['slot', 'slot ends', 'warm', 'asked', 'resumed'].includes(one))
  }

  it('that is large collects garbage in a slot of its own, before the warm copy', async () => {
    expect(await slotsAndSteps(0)).toEqual(['slot', 'slot ends', 'warm', 'slot', 'asked', 'resumed', 'slot ends'])
  })

  it('that is small has one slot', async () => {
    expect(await slotsAndSteps(1e9)).toEqual(['warm', 'slot', 'asked', 'resumed', 'slot ends'])
  })
})
