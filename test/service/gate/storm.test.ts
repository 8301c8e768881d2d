import { expect, test } from 'vitest'
import { openTestGate, terms, type TestGate } from '../../support/service/gate.ts'

/** The same storm every time: a failure can be looked at again. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * sides)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

for (const seed of [1, 2, 3]) {
  test(
    'I1.1: in a storm of requests, jobs, holders and lost interest, no work ever ' +
      `meets a closed tenant, and all is served in the end (seed ${seed})`,
    async () => {
      const roll = dice(seed)
      const ids = ['acme', 'bolt', 'crate']
      const inside = new Map(ids.map((id) => [id, 0]))
      const wrong: string[] = []
      let closing: (id: string) => void = () => {}
      await using service: TestGate = await openTestGate(
        { limits: { maxPaused: 2, waitMs: 2_000 }, close: (id) => closing(id) },
        ids,
      )
      closing = (id) => {
        if (inside.get(id) !== 0) wrong.push(`${id} was closed with ${inside.get(id)} at work`)
      }
      const end = performance.now() + 1_500
      let worked = 0
      let granted = 0

      const work = async (id: string): Promise<void> => {
        inside.set(id, (inside.get(id) ?? 0) + 1)
        await pause(roll(3))
        if (service.databases.get(id)?.open !== true) wrong.push(`${id} was closed under its work`)
        if (service.gate.stateOf(id) === 'quiesced') wrong.push(`${id} was quiesced under its work`)
        if (roll(4) === 0) await service.gate.run(id, () => pause(1))
        inside.set(id, (inside.get(id) ?? 0) - 1)
        worked++
      }
      const worker = async (): Promise<void> => {
        while (performance.now() < end) {
          const id = ids[roll(3)] ?? 'acme'
          await service.gate
            .run(id, () => work(id))
            .catch((error: unknown) => {
              if (!service.gate.tenantPaused(error)) throw error
            })
          await pause(roll(4))
        }
      }
      const holder = async (name: number): Promise<void> => {
        for (let count = 0; performance.now() < end; count++) {
          const id = ids[roll(3)] ?? 'acme'
          const asked = await service.quiesce(id, {
            ...terms,
            holder: `${name}-${count}`,
            ttlMs: 1 + roll(60),
            drainTimeoutMs: 1 + roll(30),
          })
          expect([201, 409, 429, 503]).toContain(asked.status)
          if (asked.status !== 201) continue
          granted++
          await pause(roll(40))
          // Now and then nobody comes back: the lease ends by itself.
          if (roll(3) > 0)
            expect([200, 410]).toContain(
              (await service.call('DELETE', `/tenants/${id}/quiesce/${asked.json.leaseId}?fence=${asked.json.fence}`))
                .status,
            )
        }
      }
      await Promise.all([...Array.from({ length: 6 }, worker), holder(1), holder(2), holder(3)])
      await Promise.all(ids.map((id) => service.gate.run(id, () => work(id))))
      expect(wrong).toEqual([])
      expect(Math.min(worked, granted)).toBeGreaterThan(10)
      expect((await service.call('GET', '/quiesce')).json).toMatchObject({ leases: [], inUse: 0 })
    },
  )
}
