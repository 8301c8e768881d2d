/** M6: a database that hangs, restarts or dies is a failure within the time limit, and work goes on afterwards. */
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { sleep } from '../../../src/host/clock.ts'
import { noPostgres, PostgresCluster } from '../../support/fleet/postgres-cluster.ts'
import { openRelay, type Relay } from '../../support/fleet/relay.ts'
import { eventually } from '../../support/processes.ts'

const statementMs = 500
const unreachable = { code: 'FLEET_UNREACHABLE', retry: true }

describe.skipIf(noPostgres !== null)(`PostgreSQL${noPostgres === null ? '' : ` (skipped: ${noPostgres})`}`, () => {
  let cluster: PostgresCluster
  beforeAll(async () => {
    cluster = await PostgresCluster.start()
  })
  afterAll(() => cluster[Symbol.asyncDispose]())

  const openThrough = (relay: Relay, ms = statementMs): Promise<FleetDatabase> =>
    openFleetDatabase({ database: { ...cluster.address, host: relay.folder }, passwordFile: null, caFile: null }, ms)

  it('a connection that hangs ends the statement in time, and work goes on when it is back', async () => {
    await using relay = await openRelay(cluster.folder)
    await using database = await openThrough(relay)
    await eventually('it answers in time', () => database.query('select 1'))
    relay.freeze()
    const askedAtMs = performance.now()
    await expect(database.query('select 1')).rejects.toMatchObject(unreachable)
    expect(performance.now() - askedAtMs).toBeGreaterThan(statementMs - 50)
    // The next one opens a new connection, which hangs too.
    await expect(database.query('select 1')).rejects.toMatchObject(unreachable)
    relay.thaw()
    const one = await eventually('it answers in time again', () => database.query('select 1 as one'))
    expect(one.rows).toEqual([{ one: 1 }])
  })

  it('without that limit nothing happens at all', async () => {
    await using relay = await openRelay(cluster.folder)
    const { user, database, port } = cluster.address
    const client = new Client({ host: relay.folder, port, database, ...(user === null ? {} : { user }) })
    client.on('error', () => {})
    await client.connect()
    relay.freeze()
    const asked = client.query('select 1').catch(() => 'an error')
    expect(await Promise.race([asked, sleep(4 * statementMs)])).toBeUndefined()
    relay.thaw()
    expect(await asked).toMatchObject({ rowCount: 1 })
    await client.end()
  })

  it('a database whose peer hangs can be left', async () => {
    await using relay = await openRelay(cluster.folder)
    const database = await openThrough(relay, 60_000)
    await database.query('select 1')
    relay.freeze()
    const asked = database.query('select 1').catch((error: unknown) => error)
    await database[Symbol.asyncDispose]()
    expect(await asked).toMatchObject(unreachable)
  })

  it.each(['fast', 'crash'] as const)('a server that was stopped (%s) and starts again', async (how) => {
    await using database = await openFleetDatabase({ database: cluster.address, passwordFile: null, caFile: null })
    await database.query('select 1')
    const asked = database.query('select pg_sleep(9)').catch((error: unknown) => error)
    await cluster.stop(how)
    expect(await asked).toMatchObject(unreachable)
    await expect(database.query('select 1')).rejects.toMatchObject(unreachable)
    await cluster.serve()
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('a server that lets nobody in says why, and never what the secret was', async () => {
    const { address } = cluster
    for (const [database, code] of [
      [{ ...address, database: 'absent' }, 'FLEET_REFUSED'],
      [{ ...address, user: 'absent' }, 'FLEET_REFUSED'],
      [{ ...address, host: '/nowhere' }, 'FLEET_UNREACHABLE'],
      [{ ...address, host: '127.0.0.1', port: 1 }, 'FLEET_UNREACHABLE'],
      [{ ...address, host: 'database.invalid' }, 'FLEET_UNREACHABLE'],
    ] as const) {
      await using opened = await openFleetDatabase({ database, passwordFile: null, caFile: null })
      const failure = await opened.query('select 1').catch((error: unknown) => error)
      expect(failure, JSON.stringify(database)).toMatchObject({ code })
      if (database.host === 'database.invalid')
        expect(failure).toMatchObject({
          message: expect.stringMatching(/: this machine finds no address for database\.invalid$/),
          hint: expect.stringContaining('check the name in fleet.database'),
        })
    }
  })

  it('a statement that fails names what the database says, and keeps its SQLSTATE', async () => {
    await using database = await openFleetDatabase({ database: cluster.address, passwordFile: null, caFile: null })
    const failure = await database.query(`select E'\\u001b[2J' || 1/0`).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'FLEET_STATEMENT_FAILED', cause: { code: '22012' } })
    await database.query('create role reader login; alter role reader set default_transaction_read_only = on')
    const access = { database: { ...cluster.address, user: 'reader' }, passwordFile: null, caFile: null }
    await using reading = await openFleetDatabase(access)
    await expect(reading.query('create table t(a int)')).rejects.toMatchObject({ code: 'FLEET_FULL' })
    await expect(reading.query('select * from absent')).rejects.toMatchObject({ code: 'FLEET_NOT_PREPARED' })
  })
})
