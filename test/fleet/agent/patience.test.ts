/** What a chunk waits for keeps no other run on the service waiting, and costs no tenant its check. */

import { expect, test } from 'vitest'
import { closeBreakers, openBreaker } from '../../../src/fleet/pause/breaker.ts'
import { sleep } from '../../../src/host/clock.ts'
import { chunkDone, sendChunk, startAgentAtWork } from '../../support/fleet/agent-at-work.ts'
import { jobState } from '../../support/fleet/agent-hosts.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { eventually, startNode } from '../../support/processes.ts'

eachDatabase((fleet) => {
  const sound = (tenants: readonly string[]) => tenants.map((tenant) => ({ tenant, verdict: 'sound' }))
  const results = async (): Promise<readonly object[]> =>
    (await fleet.database.query('select tenant, verdict from holdfast.result order by tenant')).rows
  const retries = async (): Promise<readonly object[]> =>
    (await fleet.database.query('select retry_count::int as retries from pgboss.job where output is not null')).rows

  test.skipIf(fleet.kind === 'postgres')(
    'while pauses are stopped a person can check a tenant; afterwards the chunk goes on',
    async () => {
      await using work = await startAgentAtWork(fleet)
      const { host, agent } = work
      await openBreaker(fleet.database, { scope: 'fleet', reason: 'the racks move', by: 'ada' })
      const chunk = await sendChunk(work)
      await eventually('the chunk waits', async () => (await jobState(fleet, chunk)) === 'active')
      const check = (): ReturnType<typeof host.holdfast.run> =>
        host.holdfast.run('check', '--tenant', host.demo.tenants[0] ?? '')
      await sleep(30_000) // Until then the process of the chunk has the run lock.
      await eventually('a person can check a tenant', async () => (await check()).code === 0)
      expect([await results(), await jobState(fleet, chunk)]).toEqual([[], 'active'])
      await closeBreakers(fleet.database, null, 'ada')
      await chunkDone(fleet, chunk, agent)
      expect(await results()).toEqual(sound(host.demo.tenants))
      // Also the slots that were taken only to see whether there is leave.
      const held = 'select from holdfast.pause_slot where holder is not null'
      await eventually('all slots are free', async () => (await fleet.database.query(held)).rowCount === 0)
    },
  )

  test.skipIf(fleet.kind === 'postgres')(
    'a service that does not answer for a while: no tenant has failed, and no attempt was lost',
    async () => {
      await using work = await startAgentAtWork(fleet, { requestTimeoutMs: 1_000 })
      const { host, agent } = work
      process.kill(host.demo.pid, 'SIGSTOP')
      const chunk = await sendChunk(work)
      try {
        await eventually('the process of the chunk has ended', async () =>
          agent.stderr().includes('waits for the service'),
        )
        expect(await jobState(fleet, chunk)).toBe('active')
      } finally {
        process.kill(host.demo.pid, 'SIGCONT')
      }
      await chunkDone(fleet, chunk, agent)
      expect(await results()).toEqual(sound(host.demo.tenants))
      expect(await retries()).not.toContainEqual({ retries: 1 })
    },
  )

  test.skipIf(fleet.kind === 'postgres')(
    'a service that is down for some seconds in the middle of a chunk: its rest is tried again',
    async () => {
      await using work = await startAgentAtWork(fleet, { tenants: 8, misbehave: 'slow=300' })
      const { agent } = work
      const { demo } = work.host
      const chunk = await sendChunk(work)
      await eventually('the first has a result', async () => (await results()).length > 0)
      // The service must not end while a tenant is paused: that is another fault, and another result.
      await openBreaker(fleet.database, { scope: 'fleet', reason: 'a deployment', by: 'ada' })
      const held = 'select from holdfast.pause_slot where holder is not null'
      await eventually('no tenant is paused', async () => (await fleet.database.query(held)).rowCount === 0)
      demo.program.kill('SIGKILL')
      await demo.program.ended
      await closeBreakers(fleet.database, null, 'ada')
      await eventually('the chunk waits', () => agent.stderr().includes('waits for the service'))
      await sleep(2_000)
      const again = ['--dir', demo.dir, '--socket', demo.socket, '--tenants', '8', '--misbehave', 'slow=300']
      await using service = startNode('scripts/demo/service.ts', again)
      await service.ready
      await chunkDone(fleet, chunk, agent, 120_000)
      expect(await results()).toEqual(sound(demo.tenants))
      expect(await retries()).not.toContainEqual({ retries: 1 })
    },
  )
})
