/** A database that dies or becomes slow while an agent works: afterwards it goes on, and nothing is lost or twice. */

import { expect, test } from 'vitest'
import { sleep } from '../../../src/host/clock.ts'
import { chunkDone, sendChunk, startAgentAtWork, startChunkInHold } from '../../support/fleet/agent-at-work.ts'
import { jobState } from '../../support/fleet/agent-hosts.ts'
import { startDatabaseRelay } from '../../support/fleet/database-relay.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { descendantsRunning, eventually } from '../../support/processes.ts'

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const eachOnce = async (tenants: readonly string[]): Promise<void> => {
    expect(await rowsOf('select tenant, verdict from holdfast.result order by tenant')).toEqual(
      tenants.map((tenant) => ({ tenant, verdict: 'sound' })),
    )
    expect(await rowsOf('select done from holdfast.run_host')).toEqual([{ done: tenants.length }])
  }

  test.skipIf(fleet.kind === 'pglite')('restarted as by a power cut in the middle of a hold', async () => {
    const { cluster } = fleet
    if (cluster === null) throw new Error('no cluster')
    cluster.loseNothing()
    await using work = await startChunkInHold(fleet)
    const { host, agent, chunk } = work
    await cluster.stop('crash')
    await eventually(
      'no tenant is paused',
      async () => (await host.demo.service.leases(AbortSignal.timeout(60_000))).length === 0,
    )
    await cluster.serve()
    await chunkDone(fleet, chunk, agent)
    await eachOnce(host.demo.tenants)
  })

  test.skipIf(fleet.kind === 'postgres')(
    'a database that has forgotten results, as a standby that lagged: their files are checked again, and no others',
    async () => {
      await using work = await startAgentAtWork(fleet, { tenants: 4 })
      const { host, agent } = work
      const chunk = await sendChunk(work)
      await chunkDone(fleet, chunk, agent)
      const [first, second] = host.demo.tenants
      await fleet.database.query('delete from pgboss.job')
      await fleet.database.query('delete from holdfast.result where tenant = any($1)', [[first, second]])
      await fleet.database.query('update holdfast.run_host set done = 2, sound = 2')
      await chunkDone(fleet, await sendChunk(work, host.demo.tenants, { run: chunk.run }), agent)
      await eachOnce(host.demo.tenants)
      const again = await rowsOf('select tenant from holdfast.result where attempt > 1 order by tenant')
      expect(again).toEqual([{ tenant: first }, { tenant: second }])
    },
  )

  test.skipIf(fleet.kind === 'postgres')('a chunk is not over before all its results are stored', async () => {
    await using work = await startAgentAtWork(fleet)
    const { host, agent } = work
    await fleet.database.query(`
      create function holdfast.no_write() returns trigger language plpgsql as $$ begin
        raise exception 'it cannot write now' using errcode = '53100'; end $$;
      create trigger no_write before insert on holdfast.result execute function holdfast.no_write()`)
    const chunk = await sendChunk(work)
    await eventually('results wait', () => agent.stderr().includes('results wait in the outbox'))
    await eventually('all is examined', () => descendantsRunning(agent.pid, 'chunk-child').length === 0)
    await sleep(1_000) // As long as it takes to end a chunk whose results are stored, and longer.
    expect(await jobState(fleet, chunk)).toBe('active')
    await fleet.database.query('drop trigger no_write on holdfast.result')
    await chunkDone(fleet, chunk, agent)
    await eachOnce(host.demo.tenants)
  })

  test('slow by 5 s: no slot comes in time, so no tenant is paused; afterwards all is done', async () => {
    await using relay = await startDatabaseRelay(fleet.address)
    await using work = await startAgentAtWork(fleet, { address: relay.address })
    const { host, agent } = work
    relay.delay(2_500)
    const chunk = await sendChunk(work)
    await eventually(
      'a slot was taken',
      async () => (await rowsOf('select from holdfast.pause_slot where holder is not null')).length > 0,
    )
    await eventually(
      'it was given back',
      async () => (await rowsOf('select from holdfast.pause_slot where holder is not null')).length === 0,
    )
    expect(await rowsOf('select from holdfast.result')).toEqual([])
    relay.delay(0)
    await chunkDone(fleet, chunk, agent)
    await eachOnce(host.demo.tenants)
  })
})
