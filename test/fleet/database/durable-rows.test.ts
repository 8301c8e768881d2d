/** What a server forgets in a crash that is set to commit without waiting for the disk, and what it does not. */
import { expect, test } from 'vitest'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { openBreaker, readOpenBreakers } from '../../../src/fleet/pause/breaker.ts'
import { setPauseLimits } from '../../../src/fleet/pause/slot-watch.ts'
import { slotsOf } from '../../support/fleet/pause/asked-slots.ts'
import { noPostgres, PostgresCluster } from '../../support/fleet/postgres-cluster.ts'
import { descendantsOf, eventually } from '../../support/processes.ts'

const whySkipped = noPostgres === null ? '' : ` (skipped: ${noPostgres})`

test.skipIf(noPostgres !== null)(
  `slots, breaker and results survive a crash with synchronous_commit off${whySkipped}`,
  async () => {
    await using cluster = await PostgresCluster.start()
    await using database = await openFleetDatabase({ database: cluster.address, passwordFile: null, caFile: null })
    await migrateFleet(database)
    await setPauseLimits(database, { fleet: 1, service: 1, domain: 1 })
    await database.query(`select holdfast.result_week(date '2026-11-23')`)
    await database.query('checkpoint')
    const count = async (from: string): Promise<number> => (await database.query(`select from ${from}`)).rowCount
    const writeRun = (): Promise<unknown> =>
      database.query(`insert into holdfast.run(id, kind, state) values ('r', 'sweep', 'fed')`)
    const crashAfter = async (write: () => Promise<unknown>): Promise<void> => {
      // It writes now and then what nobody waits for.
      const writer = descendantsOf(cluster.pid).find(({ command }) => command.includes('walwriter'))
      if (writer === undefined) throw new Error('the server has no WAL writer')
      process.kill(writer.pid, 'SIGSTOP')
      await write()
      const stopped = cluster.stop('crash')
      process.kill(writer.pid, 'SIGCONT')
      await stopped
      await cluster.serve()
      await eventually('the database answers', async () => (await count('holdfast.pause_limit')) === 3)
    }

    await crashAfter(writeRun)
    expect(await count('holdfast.run'), 'this server forgets').toBe(0)
    await crashAfter(async () => expect(await slotsOf(database, 'db1').take()).toHaveProperty('rows'))
    expect(await count('holdfast.pause_slot where holder is not null')).toBe(2)
    await crashAfter(() => openBreaker(database, { scope: 'fleet', reason: 'the racks move', by: 'ada' }))
    expect(await readOpenBreakers(database)).toHaveLength(1)
    await crashAfter(() =>
      database.query(`insert into holdfast.result(week, run, host, service, tenant, path, attempt, verdict, checked_at)
        values ('2026-11-23', 'r', 'db1', 'notes', 'acme', '/srv/a.db', 1, 'sound', now())`),
    )
    expect(await count('holdfast.result')).toBe(1)
  },
)
