/** Jobs between a coordinator and an agent, by pg-boss. */
import { expect, it } from 'vitest'
import type { PlannedChunk } from '../../../src/fleet/jobs/chunk.ts'
import { openJobs, type FleetJobs } from '../../../src/fleet/jobs/jobs.ts'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Failure } from '../../../src/model/failure.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { fleetSettings } from '../../support/fleet/fleet-settings.ts'
import { eventually } from '../../support/processes.ts'

const run = newRunId()

const planned = (chunk: number, priority: number): PlannedChunk => ({
  run,
  week: weekOf(run),
  host: 'a',
  kind: 'check',
  depth: 'full',
  chunk,
  priority,
  tenants: [tenantId(`t${chunk}`)],
})

function open(fleet: FleetUnderTest, role: 'coordinator' | 'agent'): Promise<FleetJobs> {
  return openJobs({ database: fleet.database, fleet: fleetSettings(fleet), role, onError: () => undefined })
}

eachDatabase((fleet) => {
  it('an agent that comes before the coordinator is told so, and makes nothing', async () => {
    await expect(open(fleet, 'agent')).rejects.toMatchObject({ code: 'FLEET_NOT_PREPARED' })
    const { rows } = await fleet.database.query("select from pg_namespace where nspname = 'pgboss'")
    expect(rows).toEqual([])
  })

  it('an agent does not migrate the tables of pg-boss: that is left to the coordinator', async () => {
    await using _coordinator = await open(fleet, 'coordinator')
    await fleet.database.query('update pgboss.version set version = version - 1')
    const version = async () => (await fleet.database.query('select version from pgboss.version')).rows
    const before = await version()
    await expect(open(fleet, 'agent')).rejects.toMatchObject({ code: 'FLEET_NOT_PREPARED' })
    expect(await version()).toEqual(before)
  })

  it('chunks come by priority, each once, however often they are sent', async () => {
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    await coordinator.createHostQueues(['a'])
    const chunks = [planned(0, 38), planned(1, 40), planned(2, 39)]
    await coordinator.send('a', chunks)
    await coordinator.send('a', chunks)
    await using agent = await open(fleet, 'agent')
    expect(await agent.hasQueue('a')).toBe(true)
    expect(await agent.hasQueue('b')).toBe(false)
    const given: number[] = []
    await agent.work('a', 'sweep', ({ chunk }) => Promise.resolve(void given.push(chunk)))
    await eventually('three chunks', () => given.length >= 3)
    await coordinator.send('a', [...chunks, planned(3, 1)])
    await eventually('a fourth chunk', () => given.length >= 4)
    expect(given).toEqual([1, 2, 0, 3])
  })

  it('an incident does not wait for a chunk of a sweep', async () => {
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    await coordinator.createHostQueues(['a'])
    await coordinator.send('a', [planned(0, 40), planned(1, 100)])
    await using agent = await open(fleet, 'agent')
    const ended = Promise.withResolvers<void>()
    const given: number[] = []
    const note = ({ chunk }: { chunk: number }): void => void given.push(chunk)
    await agent.work('a', 'sweep', (chunk) => (note(chunk), ended.promise))
    await agent.work('a', 'incident', (chunk) => Promise.resolve(note(chunk)))
    await eventually('both chunks', () => given.length >= 2)
    ended.resolve()
    expect(new Set(given)).toEqual(new Set([0, 1]))
  })

  it('a chunk of a sweep is taken by its lane, and an incident is not', async () => {
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    await coordinator.createHostQueues(['a'])
    await coordinator.send('a', [planned(0, 50), planned(1, 49)])
    await using agent = await open(fleet, 'agent')
    const given: number[] = []
    await agent.work('a', 'sweep', ({ chunk }) => Promise.resolve(void given.push(chunk)))
    await eventually('a chunk', () => given.length > 0)
    expect(given).toEqual([1])
  })

  it('all chunks of a host are queued, and withdrawn, however many there are', async () => {
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    await coordinator.createHostQueues(['a'])
    const chunks = Array.from({ length: 201 }, (_, chunk) => planned(chunk, 40))
    const states = async () =>
      (await fleet.database.query('select state::text, count(*) as jobs from pgboss.job group by state')).rows
    await coordinator.send('a', chunks)
    expect(await states()).toEqual([{ state: 'created', jobs: 201 }])
    await coordinator.withdraw('a', chunks)
    expect(await states()).toEqual([{ state: 'cancelled', jobs: 201 }])
  })

  it('a chunk that fails is tried again after half a minute, and its run keeps it', async () => {
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    await coordinator.createHostQueues(['a'])
    await fleet.database.query(
      `insert into holdfast.chunk (run, host, chunk, kind, depth, priority, tenants)
       values ($1, 'a', 0, 'check', 'full', 40, '["t0"]')`,
      [run],
    )
    await coordinator.send('a', [planned(0, 40)])
    const left = async () => (await fleet.database.query('select from holdfast.chunk')).rowCount
    await using agent = await open(fleet, 'agent')
    let leftMeanwhile = 0
    await agent.work('a', 'sweep', async () => {
      leftMeanwhile = await left()
      throw new Error('the tenant was not there')
    })
    const job = async () =>
      (
        await fleet.database.query(
          `select retry_limit as most, extract(epoch from start_after - now()) > 15 as later from pgboss.job
           where state = 'retry'`,
        )
      ).rows
    await eventually('it has failed', async () => (await job()).length > 0)
    expect([await job(), leftMeanwhile, await left()]).toEqual([[{ most: 3, later: true }], 1, 1])
  })

  it('the schedule is stored with its zone, and asks that a missed sweep is made up for once', async () => {
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    const schedules = async () =>
      (await fleet.database.query("select cron, timezone, options->>'missed' as missed from pgboss.schedule")).rows
    await coordinator.schedule({ at: '30 2 * * *', zone: 'Europe/Berlin' })
    expect(await schedules()).toEqual([{ cron: '30 2 * * *', timezone: 'Europe/Berlin', missed: 'once' }])
    await coordinator.schedule(null)
    expect(await schedules()).toEqual([])
  })

  it('what goes wrong in a poll is said in words', async () => {
    const said: string[] = []
    await using coordinator = await open(fleet, 'coordinator')
    await coordinator.createQueues()
    await coordinator.createHostQueues(['a'])
    const onError = ({ code, message }: Failure): void => void said.push(`${code} ${message}`)
    const settings = fleetSettings(fleet)
    await using agent = await openJobs({ database: fleet.database, fleet: settings, role: 'agent', onError })
    await agent.work('a', 'sweep', () => Promise.resolve())
    await fleet.database.query('alter schema pgboss rename to away')
    await eventually('an error', () => said.length > 0)
    await fleet.database.query('alter schema away rename to pgboss')
    expect(said[0]).toMatch(/^FLEET_NOT_PREPARED .*pgboss/)
  })
})
