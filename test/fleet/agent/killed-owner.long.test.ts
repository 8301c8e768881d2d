/**
 * The process that has PGlite open is killed while it and another agent have tenants paused: each is resumed in time,
 * nothing begins without the database, and afterwards each result arrives once.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { beginRun } from '../../../src/fleet/coordinator/runs/begin-run.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { sleep } from '../../../src/host/clock.ts'
import { newRun, startHost, type FleetHost } from '../../support/fleet/agent-hosts.ts'
import { makePgliteFolder } from '../../support/fleet/templates.ts'
import { eventually, type Program } from '../../support/processes.ts'

const tenants = 4
const slow = { tenants, misbehave: 'slow=500', fleet: ['maxPaused: { fleet: 4, service: 4, domain: 4 }'] } as const
const sweepsMax = 4

const leases = ({ demo }: FleetHost) => demo.service.leases(AbortSignal.timeout(60_000))

test('PGlite: the agent that has the folder open is killed while two hosts have tenants paused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pglite-'))
  using _removed = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
  const address = { kind: 'pglite', dir: join(folder, 'fleet') } as const
  await makePgliteFolder(address.dir)
  await using alpha = await startHost(address, 'alpha', slow)
  await using beta = await startHost(address, 'beta', slow)
  const hosts = [alpha, beta]
  await using database = await openFleetDatabase({ database: address, passwordFile: null, caFile: null })
  const rowsOf = async (text: string): Promise<readonly object[]> => (await database.query(text)).rows
  const areAll = (text: string, total: number) => async () => (await rowsOf(text).catch(() => [])).length === total
  const isDone = areAll("select from holdfast.run where state in ('done', 'stopped')", 1)
  const beginSweep = async (): Promise<void> => {
    await database.query('delete from holdfast.result; delete from holdfast.run_host; delete from holdfast.run')
    const request = { kind: 'sweep', depth: 'full', hosts: null, service: null, by: 'test' } as const
    await beginRun(database, newRun(), request)
  }
  const arePaused = async (): Promise<boolean> =>
    (await Promise.all(hosts.map(leases))).every((one) => one.length > 0) && !(await isDone())

  const works = (program: Program) =>
    eventually(`it works: ${program.stderr()}`, () => program.stderr().includes('takes tenants'))
  await using owner = alpha.holdfast.start('agent', '--coordinator')
  await works(owner)
  await using agent = await beta.startAgent(false)
  await works(agent)
  await eventually('all is known', areAll('select from holdfast.place', 2 * tenants))
  for (let sweeps = 0; ; sweeps++) {
    expect(sweeps, 'sweeps until both hosts had a tenant paused').toBeLessThan(sweepsMax)
    await beginSweep()
    const pausedOrDone = async (): Promise<'paused' | 'done' | null> =>
      (await arePaused()) ? 'paused' : (await isDone()) ? 'done' : null
    if ((await eventually('both are paused, or the sweep is over', pausedOrDone)) === 'paused') break
  }
  owner.kill('SIGKILL')
  await owner.ended
  for (const host of hosts)
    await eventually(`${host.name} has no tenant paused`, async () => (await leases(host)).length === 0, 8_000)
  await sleep(2_500) // A slot that was taken before is good for its window of 2 s.
  for (const host of hosts) await eventually('it is resumed', async () => (await leases(host)).length === 0, 8_000)
  await sleep(1_000)
  for (const host of hosts) expect(await leases(host), 'nothing begins').toEqual([])

  await using next = alpha.holdfast.start('agent', '--coordinator')
  await works(next)
  // What a coordinator does after the heartbeat of a dead agent was missed for a minute.
  await database.query(
    "update pgboss.job set state = 'retry', start_after = now() where state = 'active' and name = 'check.alpha'",
  )
  await eventually(`the sweep is done: ${next.stderr()} ${agent.stderr()}`, isDone)
  expect(await rowsOf('select host, tenant, verdict from holdfast.result order by host, tenant')).toEqual(
    hosts.flatMap(({ name, demo }) => demo.tenants.map((tenant) => ({ host: name, tenant, verdict: 'sound' }))),
  )
  expect(await rowsOf('select host, done, sound from holdfast.run_host order by host')).toEqual(
    hosts.map(({ name }) => ({ host: name, done: tenants, sound: tenants })),
  )
  for (const { demo } of hosts) expect(await demo.stopAndVerify()).toBeGreaterThanOrEqual(0)
}, 300_000)
