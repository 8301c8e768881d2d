/** Agents behind PgBouncer in transaction mode, set up as SETUP.md says. The coordinator connects directly. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEncryptedFleet, type EncryptedFleet } from '../../support/fleet/encrypted-fleet.ts'
import { noPgBouncer, startPgBouncer, type PgBouncer } from '../../support/fleet/pgbouncer.ts'
import { startPooledFleet, watchPauses } from '../../support/fleet/pooled-fleet.ts'
import { noPostgres } from '../../support/fleet/postgres-cluster.ts'
import { eventually } from '../../support/processes.ts'

const here = '127.0.0.2'
const why = noPostgres ?? noPgBouncer

describe.skipIf(why !== null)(`PgBouncer${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let fleet: EncryptedFleet
  let pooler: PgBouncer
  beforeEach(async () => {
    fleet = await openEncryptedFleet(here)
    pooler = await startPgBouncer(fleet, here, 2)
  })
  afterEach(async () => {
    await using _fleet = fleet
    await pooler[Symbol.asyncDispose]()
  })

  test('two agents on two connections finish a sweep, and pause one tenant at a time', async () => {
    await using pooled = await startPooledFleet(fleet, pooler.port, { agents: 2, tenants: 3, most: 1 })
    const pauses = watchPauses(pooled.hosts)
    const counts = await pooled.sweep()
    expect(counts).toMatchObject({ total: 6, done: 6, sound: 6 })
    expect(await pauses.end()).toBe(1)
    for (const { demo } of pooled.hosts) expect(await demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
  })

  test('with fleet.notify a sweep ends too; agent and doctor say that jobs are not announced', async () => {
    const options = { agents: 1, tenants: 1, most: 1, notify: true }
    await using pooled = await startPooledFleet(fleet, pooler.port, options)
    const said = 'new jobs are not announced to this host'
    const [agent] = pooled.agents
    await eventually('the agent says so', () => agent?.stderr().includes(`${said}: an agent here begins its tenants`))
    expect(agent?.stderr()).toContain('set fleet.notify: false')
    expect((await pooled.sweep())['sound']).toBe(1)
    expect(await pooled.doctor(pooler.port, true)).toMatchObject({
      outcome: 'warning',
      said: expect.stringContaining(said),
      next: expect.stringContaining('fleet.notify: false'),
    })
    expect(await pooled.doctor(pooler.port, false)).toMatchObject({ outcome: 'fit' })
    expect(await pooled.doctor(fleet.cluster.address.port, true)).toMatchObject({ outcome: 'fit' })
  })
})
