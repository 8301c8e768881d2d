/** A database that dies or becomes slow while an agent works: afterwards it goes on, and nothing is lost or twice. */

import { expect, test } from 'vitest'
import { chunkDone, sendChunk, startAgentAtWork, startChunkInHold } from '../../support/fleet/agent-at-work.ts'
import { startDatabaseRelay } from '../../support/fleet/database-relay.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { eventually } from '../../support/processes.ts'

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const eachOnce = async (tenants: readonly string[]): Promise<void> => {
    expect(await rowsOf('select tenant, verdict from holdfast.result order by tenant')).toEqual(
      tenants.map((tenant) => ({ tenant, verdict: 'sound' })),
    )
    expect(await rowsOf('select done from holdfast.run_host')).toEqual([{ done: tenants.length }])
  }

  test.skipIf(fleet.kind === 'pglite')(
    'restarted as by a power cut in the middle of a hold',
    async () => {
      const { cluster } = fleet
      if (cluster === null) throw new Error('no cluster')
      await using work = await startChunkInHold(fleet)
      const { host, agent, chunk } = work
      await cluster.stop('crash')
      await eventually(
        'no tenant is paused',
        async () => (await host.demo.service.leases(AbortSignal.timeout(5_000))).length === 0,
      )
      await cluster.serve()
      await chunkDone(fleet, chunk, agent)
      await eachOnce(host.demo.tenants)
    },
    120_000,
  )

  test('slow by 5 s: no slot comes in time, so no tenant is paused; afterwards all is done', async () => {
    await using relay = await startDatabaseRelay(fleet.address)
    await using work = await startAgentAtWork(fleet, { address: relay.address })
    const { host, agent } = work
    relay.delay(2_500)
    const chunk = await sendChunk(work)
    await eventually(
      'a slot was taken',
      async () => (await rowsOf('select from holdfast.pause_slot where holder is not null')).length > 0,
      60_000,
    )
    await eventually(
      'it was given back',
      async () => (await rowsOf('select from holdfast.pause_slot where holder is not null')).length === 0,
      60_000,
    )
    expect(await rowsOf('select from holdfast.result')).toEqual([])
    relay.delay(0)
    await chunkDone(fleet, chunk, agent)
    await eachOnce(host.demo.tenants)
  }, 180_000)
})
