/**
 * Whatever becomes of the agent or the database in the middle of a hold: the tenant is resumed in time, and its result
 * arrives, once. Real processes, a real database, and a service that answers slowly, so that the fault meets a pause.
 */

import { expect, test } from 'vitest'
import { chunkDone, startChunkInHold } from '../../support/fleet/agent-at-work.ts'
import { jobState, type FleetHost } from '../../support/fleet/agent-hosts.ts'
import { startDatabaseRelay } from '../../support/fleet/database-relay.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { descendantsRunning, eventually, isRunning, type Program } from '../../support/processes.ts'
import type { Demo } from '../../support/service/demo-service.ts'

/**
 * The service answers after 500 ms (test/support/fleet/agent-at-work.ts), the lease lasts 10 s, and the check of a
 * small file takes no time.
 */
const servesWithinMs = 8_000

const noLease = (demo: Demo, withinMs = servesWithinMs) =>
  eventually('no tenant is paused', async () => (await leasesOf(demo)).length === 0, withinMs)
const leasesOf = (demo: Demo) => demo.service.leases(AbortSignal.timeout(60_000))

/** A slot that was taken before is good for other tenants until its window of 2 s is over. */
async function nothingBegins(demo: Demo): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  await noLease(demo)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(await leasesOf(demo), 'no other tenant is paused').toEqual([])
}

const chunkProcessOf = async (agent: Program): Promise<number> => {
  const [pid] = descendantsRunning(agent.pid, 'chunk-child')
  if (pid === undefined) throw new Error('no chunk is examined')
  return pid
}

/** What a coordinator does after the heartbeat of a dead agent was missed: a test does not wait a minute for it. */
const giveOutAgain = ({ database }: FleetUnderTest) =>
  database.query("update pgboss.job set state = 'retry', start_after = now() where state in ('active', 'retry')")

/** Each tenant was found sound, and has one result in the whole run. */
async function eachOnce({ database }: FleetUnderTest, { demo }: FleetHost): Promise<void> {
  const { rows } = await database.query('select tenant, verdict from holdfast.result order by tenant')
  expect(rows).toEqual(demo.tenants.map((tenant) => ({ tenant, verdict: 'sound' })))
  const counted = await database.query('select done::int, sound::int from holdfast.run_host')
  expect(counted.rows).toEqual([{ done: demo.tenants.length, sound: demo.tenants.length }])
  expect(await demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
}

eachDatabase((fleet) => {
  test('agent killed: the hold ends as usual, no other begins, and the next agent sends its result', async () => {
    await using work = await startChunkInHold(fleet)
    const { host, agent, chunk, tenant } = work
    const child = await chunkProcessOf(agent)
    agent.kill('SIGKILL')
    await agent.ended
    await noLease(host.demo)
    await eventually('the process of the chunk has ended', () => !isRunning(child))
    await using next = await host.startAgent()
    const { rows } = await eventually(`the result has arrived: ${next.stderr()}`, async () => {
      const answer = await fleet.database.query('select tenant, attempt from holdfast.result')
      return answer.rowCount > 0 ? answer : null
    })
    expect(rows).toEqual([{ tenant, attempt: 1 }])
    await giveOutAgain(fleet)
    await chunkDone(fleet, chunk, next)
    // No coordinator watches here: the next agent has given back the slot.
    const held = await fleet.database.query('select from holdfast.pause_slot where holder is not null')
    expect(held.rowCount).toBe(0)
    await eachOnce(fleet, host)
  })

  /** The kind of the database plays no part in what follows, and each takes long. */
  const once = test.skipIf(fleet.kind === 'pglite')

  once('agent frozen: the hold ends as usual, and the agent goes on when it wakes', async () => {
    await using work = await startChunkInHold(fleet)
    const { host, agent, chunk } = work
    agent.kill('SIGSTOP')
    await nothingBegins(host.demo)
    agent.kill('SIGCONT')
    await chunkDone(fleet, chunk, agent)
    await eachOnce(fleet, host)
  })

  once.each(['SIGKILL', 'SIGSTOP'] as const)(
    'process of the chunk gets %s in a pause: the tenant serves again',
    async (signal) => {
      await using work = await startChunkInHold(fleet, { requestTimeoutMs: 3_000 })
      const { host, agent, chunk } = work
      const child = await chunkProcessOf(agent)
      process.kill(child, signal)
      await noLease(host.demo, 30_000)
      await eventually('the guardian has ended the process', () => !isRunning(child))
      await eventually('the chunk has failed', async () => (await jobState(fleet, chunk)) === 'retry')
      await giveOutAgain(fleet)
      await chunkDone(fleet, chunk, agent)
      await eachOnce(fleet, host)
    },
  )

  test('cut off from the database: the hold ends, nothing else begins, and the result arrives later', async () => {
    await using relay = await startDatabaseRelay(fleet.address)
    await using work = await startChunkInHold(fleet, { address: relay.address })
    const { host, agent, chunk } = work
    relay.freeze()
    await nothingBegins(host.demo)
    relay.thaw()
    await chunkDone(fleet, chunk, agent)
    await eachOnce(fleet, host)
  })
})
