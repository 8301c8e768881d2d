/** A failover to a standby that lagged, and a clock of the database that is stepped: with real servers. */
import { existsSync, globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { freeSlots } from '../../../src/fleet/pause/pause-slots.ts'
import type { TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'
import { setPauseLimits, SlotWatch } from '../../../src/fleet/pause/slot-watch.ts'
import { sleep } from '../../../src/host/clock.ts'
import { slotsOf } from '../../support/fleet/pause/asked-slots.ts'
import { noPostgres, PostgresCluster } from '../../support/fleet/postgres-cluster.ts'
import { eventually } from '../../support/processes.ts'

const expiryMs = 1_000
const faketime = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0] ?? ''

const open = ({ address: database }: PostgresCluster): Promise<FleetDatabase> =>
  openFleetDatabase({ database, passwordFile: null, caFile: null })

async function take(database: FleetDatabase, host: string): Promise<TakenSlot | null> {
  const answer = await slotsOf(database, host).take()
  return 'rows' in answer ? answer : null
}

async function granted(database: FleetDatabase, host: string): Promise<TakenSlot> {
  const taken = await take(database, host)
  if (taken === null) throw new Error(`${host} got no slot`)
  return taken
}

test.skipIf(noPostgres !== null)(
  'after a failover to a standby that lagged nobody is granted a slot that may be in use',
  async () => {
    await using primary = await PostgresCluster.start()
    await using before = await open(primary)
    primary.loseNothing()
    await migrateFleet(before)
    await setPauseLimits(before, { fleet: 1, service: 1, domain: 1 })
    await using standby = await primary.standby()
    await using after = await open(standby)
    await eventually('the standby has the tables', () => after.query('select from holdfast.pause_limit'))
    await after.query(`alter system set primary_conninfo = ''`)
    await after.query('select pg_reload_conf()')
    const receivers = async (): Promise<number> => (await after.query('select from pg_stat_wal_receiver')).rowCount
    await eventually('the standby follows no more', async () => (await receivers()) === 0)

    // A sequence is logged 32 numbers ahead.
    let held = await granted(before, 'db1')
    for (let use = 0; use < 40; use++) {
      await freeSlots(before, held)
      held = await granted(before, 'db1')
    }
    await primary.stop('crash')
    await standby.promote()

    const watch = new SlotWatch(after, expiryMs)
    expect(await take(after, 'db2')).toBe(null)
    expect((await watch.pass()).epoch).toBe('resting')
    await sleep(expiryMs + 50)
    expect(await take(after, 'db2')).toBe(null)
    expect((await watch.pass()).epoch).toBe('stored')

    // What would have happened at once without the rest: the same fence of the same row is given out again.
    const fenceOf = ({ rows }: TakenSlot): string => rows.find(({ scope }) => scope === 'fleet')?.fence ?? ''
    let other = await granted(after, 'db2')
    for (let use = 0; use < 200 && fenceOf(other) !== fenceOf(held); use++) {
      await freeSlots(after, other)
      other = await granted(after, 'db2')
    }
    expect(fenceOf(other)).toBe(fenceOf(held))
    expect(await freeSlots(after, held)).toBe(0)
    expect(await take(after, 'db3')).toBe(null)
    expect(await freeSlots(after, other)).toBe(2)
  },
)

test.skipIf(noPostgres !== null || !existsSync(faketime))(
  'a clock of the database that is stepped by an hour frees no slot, but would by the time of its taking',
  async () => {
    await using cluster = await PostgresCluster.start()
    await cluster.stop('fast')
    const clock = join(cluster.folder, 'clock')
    writeFileSync(clock, '+0s')
    cluster.environment = {
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    await cluster.serve()
    await using database = await open(cluster)
    await migrateFleet(database)
    await setPauseLimits(database, { fleet: 1, service: 1, domain: 1 })
    const watch = new SlotWatch(database, 60_000)
    await granted(database, 'db1')
    expect((await watch.pass()).freed).toEqual([])
    writeFileSync(clock, '+3600s')
    const byClock = await database.query(
      `select from holdfast.pause_slot where holder is not null and taken_at < clock_timestamp() - interval '90 s'`,
    )
    expect(byClock.rowCount).toBe(2)
    expect((await watch.pass()).freed).toEqual([])
    expect(await take(database, 'db2')).toBe(null)
  },
)
