/** Many agents behind PgBouncer in transaction mode. */
import { describe, expect, test } from 'vitest'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { openEncryptedFleet } from '../../support/fleet/encrypted-fleet.ts'
import { noPgBouncer, startPgBouncer } from '../../support/fleet/pgbouncer.ts'
import { startPooledFleet, watchPauses } from '../../support/fleet/pooled-fleet.ts'
import { noPostgres } from '../../support/fleet/postgres-cluster.ts'
import { eventually } from '../../support/processes.ts'

const here = '127.0.0.2'
const why = noPostgres ?? noPgBouncer

describe.skipIf(why !== null)(`PgBouncer${why === null ? '' : ` (skipped: ${why})`}`, () => {
  test('twelve agents on four connections finish three sweeps, and pause at most two tenants at a time', async () => {
    await using fleet = await openEncryptedFleet(here)
    await using pooler = await startPgBouncer(fleet, here, 4)
    await using pooled = await startPooledFleet(fleet, pooler.port, { agents: 12, tenants: 4, most: 2 })
    const pauses = watchPauses(pooled.hosts)
    for (let sweep = 0; sweep < 3; sweep++)
      expect(await pooled.sweep()).toMatchObject({ total: 48, done: 48, sound: 48 })
    expect(await pauses.end()).toBe(2)
    for (const agent of pooled.agents) expect(agent.stderr()).not.toMatch(/cannot|away|waits for jobs|outbox|announced/)
    for (const { demo } of pooled.hosts) expect(await demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
  }, 600_000)

  test('the database crashes and restarts behind it: each tenant has one result, and is sound', async () => {
    await using fleet = await openEncryptedFleet(here)
    await using pooler = await startPgBouncer(fleet, here, 2)
    await using pooled = await startPooledFleet(fleet, pooler.port, { agents: 4, tenants: 6, most: 2 })
    const access = { database: { ...fleet.cluster.address, database: 'holdfast' }, passwordFile: null, caFile: null }
    await using database = await openFleetDatabase(access)
    fleet.cluster.loseNothing()
    await pooled.begin()
    const verdicts = async () => (await database.query('select verdict from holdfast.result')).rows
    await eventually('some results are there', async () => (await verdicts()).length > 2)
    await fleet.cluster.stop('crash')
    await fleet.cluster.serve()
    await eventually(
      'the sweep has ended',
      async () => {
        const { rows } = await database.query("select from holdfast.run where state = 'done'")
        return rows.length === 1
      },
      300_000,
    )
    expect(await verdicts()).toEqual(Array.from({ length: 24 }, () => ({ verdict: 'sound' })))
    for (const { demo } of pooled.hosts) expect(await demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
  }, 600_000)
})
