/**
 * A database whose disk is really full, in the middle of a hold: the tenant is resumed in time, results wait on their
 * host, people are told, and with room again everything arrives once.
 */
import { chmodSync, closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { openFleetDatabase, ownFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { monotonicMs, sleep } from '../../../src/host/clock.ts'
import { firstLease, startHost, type FleetHost } from '../../support/fleet/agent-hosts.ts'
import { beginSweep } from '../../support/fleet/begun-runs.ts'
import { setUpRoles } from '../../support/fleet/fleet-roles.ts'
import { noPostgres, PostgresCluster } from '../../support/fleet/postgres-cluster.ts'
import { startCoordinator } from '../../support/fleet/running-coordinator.ts'
import { makePgliteFolder } from '../../support/fleet/templates.ts'
import { mount, whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { eventually } from '../../support/processes.ts'

const minuteMs = 60_000

/** Takes all space of a disk, and also what a server gives back meanwhile, until it is disposed of. */
function takeAllSpace(file: string): Disposable {
  const descriptor = openSync(file, 'w')
  const take = (): void => {
    for (const bytes of [1 << 20, 4096])
      try {
        for (;;) writeSync(descriptor, Buffer.alloc(bytes))
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' })
      }
  }
  take()
  const timer = setInterval(take, 10)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      closeSync(descriptor)
      rmSync(file)
    },
  }
}

const leases = ({ demo }: FleetHost) => demo.service.leases(AbortSignal.timeout(60_000))

interface Scene {
  readonly database: FleetDatabase
  readonly address: FleetAddress
  readonly filler: string
  /** Called while the disk is full. */
  readonly worse: () => Promise<void>
  /** Called as soon as there is room. */
  readonly mend: () => Promise<void>
}

async function sweepWhileFull({ database, address, filler, worse, mend }: Scene): Promise<void> {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await database.query(text)).rows
  let later = 0
  await using host = await startHost(address, 'alpha', { tenants: 4, misbehave: 'slow=500' })
  await using coordinator = startCoordinator({ database, address }, { now: () => monotonicMs() + later })
  await using agent = await host.startAgent()
  const { tenants } = host.demo
  await eventually('they are known', async () => (await rowsOf('select from holdfast.place')).length === tenants.length)
  const before = coordinator.notices.length
  await beginSweep(database)
  await firstLease(host)
  const outages = () => coordinator.notices.slice(before).filter((notice) => notice.includes('database'))
  {
    using _taken = takeAllSpace(filler)
    await worse()
    await eventually('no tenant is paused', async () => (await leases(host)).length === 0, 8_000)
    const waits = () => agent.stderr().includes('results wait in the outbox')
    await eventually(`results wait: ${agent.stderr()}`, waits)
    await eventually('people are told', async () => {
      later += 6 * minuteMs // A task may have begun to fail since the last step.
      await sleep(5_000)
      return coordinator.alarms.length > 0
    })
    expect(await leases(host), 'no other tenant is paused').toEqual([])
  }
  await mend()
  const state = () => rowsOf('select state from holdfast.run').catch(() => [])
  await eventually(
    `the sweep is done: ${agent.stderr()}`,
    async () => JSON.stringify(await state()) === '[{"state":"done"}]',
  )
  expect(await rowsOf('select tenant, verdict from holdfast.result order by tenant')).toEqual(
    tenants.map((tenant) => ({ tenant, verdict: 'sound' })),
  )
  expect(await rowsOf('select done, sound from holdfast.run_host')).toEqual([{ done: 4, sound: 4 }])
  await eventually('people are told that it is over', () => coordinator.alarms.length > 1)
  expect(coordinator.alarms).toMatchObject([
    { severity: 'stale', conditions: [{ text: expect.stringContaining('cannot use the database of the fleet') }] },
    { severity: 'recovered', over: 'stale' },
  ])
  expect(outages()).toEqual([
    expect.stringMatching(/^the coordinator cannot use the database: .*; /),
    'the coordinator uses the database again',
  ])
  expect(await host.demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
}

const why = whyNoMount('tmpfs')
const whyNoServer = noPostgres ?? why

test.skipIf(whyNoServer !== null)(
  `PostgreSQL, whose server ends when it cannot write its log${whySkipped(whyNoServer)}`,
  async () => {
    using disk = mount('tmpfs', 200_000_000)
    for (const folder of [dirname(disk.path), disk.path]) chmodSync(folder, 0o711) // The server is another user.
    await using cluster = await PostgresCluster.start({ parent: disk.path })
    const access = { passwordFile: null, caFile: null }
    const address = (await setUpRoles(cluster))('holdfast_coordinator')
    await using superuser = await openFleetDatabase({ ...access, database: cluster.address })
    await superuser.query('alter database holdfast set synchronous_commit = on')
    await using database = await openFleetDatabase({ ...access, database: address })
    await migrateFleet(database)
    const worse = async (): Promise<void> => {
      const log = "select pg_logical_emit_message(true, 'x', repeat('x', 8000000))"
      await eventually('the server has ended', async () => {
        await superuser.query(log).catch(() => undefined)
        return cluster.hasEnded
      })
    }
    await sweepWhileFull({ database, address, filler: join(disk.path, 'filler'), worse, mend: () => cluster.serve() })
  },
)

test.skipIf(why !== null)(`PGlite, which reads while there is no room${whySkipped(why)}`, async () => {
  using disk = mount('tmpfs', 400_000_000)
  const address = { kind: 'pglite', dir: join(disk.path, 'fleet') } as const
  await makePgliteFolder(address.dir)
  await using database = await ownFleetDatabase({ database: address, passwordFile: null, caFile: null })
  await migrateFleet(database)
  const worse = async (): Promise<void> => {
    expect((await database.query('select from holdfast.place')).rowCount).toBe(4)
  }
  await sweepWhileFull({ database, address, filler: join(disk.path, 'filler'), worse, mend: () => Promise.resolve() })
})
