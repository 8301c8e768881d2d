/**
 * Hosts with a network of their own (M18): coordinator, agents and an encrypted PostgreSQL, joined by a bridge. One
 * host is cut off in the middle of a hold, as if its cable were pulled.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { configure } from '../../support/cli/holdfast.ts'
import { firstLease, startHost, textOf, type FleetHost } from '../../support/fleet/agent-hosts.ts'
import { openEncryptedFleet, type EncryptedFleet } from '../../support/fleet/encrypted-fleet.ts'
import { noNetworks, openNetworks, type Networks } from '../../support/fleet/networks.ts'
import { noPostgres } from '../../support/fleet/postgres-cluster.ts'
import { eventually, type Program } from '../../support/processes.ts'

/** A slot outlasts its pause by little, so that a test does not wait for 90 s. */
const expiryMs = 34_000
const hold = '{ ttl: 10s, drainTimeout: 500ms, maxPause: 2s }'
const times = ['window: 1s', `expiry: ${expiryMs / 1_000}s`]
/** The service answers after 700 ms; the lease ends by itself after 10 s. */
const slow = { tenants: 3, misbehave: 'slow=700' } as const
const servesWithinMs = 8_000

const why = noNetworks ?? noPostgres

describe.skipIf(why !== null)(`hosts with networks of their own${why === null ? '' : ` (skipped: ${why})`}`, () => {
  const opened = new AsyncDisposableStack()
  let networks: Networks
  let fleet: EncryptedFleet
  let database: FleetDatabase
  let hosts: readonly FleetHost[]
  let agents: readonly Program[]
  let coordinator: ReturnType<typeof configure>

  const open = async (name: string, at: number): Promise<FleetHost> => {
    const network = networks.hosts[at]
    if (network === undefined) throw new Error(`no network ${at}`)
    const { database: address } = fleet.access('holdfast_agent')
    const lines = [...fleet.linesOf('holdfast_agent'), ...times]
    return opened.use(await startHost(address, name, { ...slow, fleet: lines, network, hold }))
  }

  beforeAll(async () => {
    networks = opened.use(await openNetworks(2))
    fleet = opened.use(await openEncryptedFleet(networks.hub.address, networks.hub))
    hosts = [await open('alpha', 0), await open('beta', 1)]
    const [alpha] = hosts
    if (alpha === undefined) throw new Error('no host')
    const { database: address } = fleet.access('holdfast_coordinator')
    coordinator = configure(alpha.demo, {
      name: 'coordinator',
      hold,
      enter: networks.hub.enter,
      more: [
        'fleet:',
        ...[
          `database: "${textOf(address)}"`,
          ...fleet.linesOf('holdfast_coordinator'),
          ...times,
          'maxPaused: { fleet: 2, service: 2, domain: 2 }',
        ].map((line) => `  ${line}`),
      ],
    })
    const coordinates = opened.use(coordinator.start('coordinator'))
    await eventually('the tables are made', () => coordinates.stderr().includes('the coordinator works'))
    agents = await Promise.all(hosts.map(async (host) => opened.use(await host.startAgent())))
    const access = { database: { ...fleet.cluster.address, database: 'holdfast' }, passwordFile: null, caFile: null }
    database = opened.use(await openFleetDatabase(access))
  })
  afterAll(() => opened.disposeAsync(), 60_000)

  const sweep = async (...words: readonly string[]) => {
    // Ended with the rest, also if the test has given up before it.
    const { code, stdout, stderr } = await opened.use(coordinator.start('fleet', 'sweep', '--json', ...words)).ended
    expect([code, stderr]).toEqual([0, ''])
    return JSON.parse(stdout) as { readonly run: { readonly id: string } }
  }
  const leasesOf = (host: FleetHost) => host.demo.service.leases(AbortSignal.timeout(60_000))
  const rowsOf = async (text: string, ...values: readonly unknown[]): Promise<readonly object[]> =>
    (await database.query(text, values)).rows
  const doneOn = async (host: string, run: string): Promise<number> =>
    (await rowsOf('select from holdfast.result where host = $1 and run = $2', host, run)).length
  const holders = async (): Promise<readonly string[]> =>
    (
      await database.query<{ holder: string }>('select holder from holdfast.pause_slot where holder is not null')
    ).rows.map(({ holder }) => holder)

  test('a sweep over both ends, each tenant is sound, and each connection was encrypted', async () => {
    const { run } = await sweep()
    expect(run).toMatchObject({ state: 'done' })
    for (const { name, demo } of hosts) expect(await doneOn(name, run.id)).toBe(demo.tenants.length)
    const connections = await rowsOf(
      `select distinct host(client_addr) as from, ssl from pg_stat_activity join pg_stat_ssl using (pid)
       where client_addr is not null order by 1`,
    )
    expect(connections).toEqual(['10.77.0.1', '10.77.0.2', '10.77.0.3'].map((from) => ({ from, ssl: true })))
  })

  test('a host that is cut off in a hold resumes its tenant, and its result arrives later, once', async () => {
    const [alpha, beta] = hosts
    if (alpha === undefined || beta === undefined) throw new Error('no hosts')
    const askedMs = performance.now()
    const { run } = await sweep('--detach')
    // The pause may end before the link is down. Then the next one is tried.
    for (;;) {
      await firstLease(alpha)
      networks.cut(0)
      if ((await leasesOf(alpha)).length > 0) break
      networks.heal(0)
    }
    const doneBefore = await doneOn('alpha', run.id)
    await eventually('no tenant is paused', async () => (await leasesOf(alpha)).length === 0, servesWithinMs)
    await eventually('the other host has gone on', async () => (await doneOn('beta', run.id)) === 3)
    await eventually('it alone has slots', async () => (await holders()).join(' ') === 'alpha alpha', 10_000)
    await eventually('its slot is freed', async () => (await holders()).length === 0)
    expect(performance.now() - askedMs).toBeGreaterThan(expiryMs)
    expect(await leasesOf(alpha)).toEqual([])
    expect(await doneOn('alpha', run.id)).toBe(doneBefore)
    networks.heal(0)
    await eventually(
      `the run is done: ${agents[0]?.stderr()}`,
      async () => (await rowsOf("select from holdfast.run where id = $1 and state = 'done'", run.id)).length === 1,
    )
    const all = await rowsOf('select host, tenant, verdict from holdfast.result where run = $1 order by 1, 2', run.id)
    expect(all).toEqual(
      [alpha, beta].flatMap(({ name, demo }) =>
        demo.tenants.map((tenant) => ({ host: name, tenant, verdict: 'sound' })),
      ),
    )
    expect(await alpha.demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
  })
})
