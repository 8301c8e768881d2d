/** A coordinator and agents that make up their results: what it feeds, ends, and tells. */
import { expect, it } from 'vitest'
import { sleep } from '../../../src/host/clock.ts'
import { beginSweep, runState } from '../../support/fleet/begun-runs.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { registerHosts, insertPlaces, tenantNames } from '../../support/fleet/fleet-tables.ts'
import { startCoordinator } from '../../support/fleet/running-coordinator.ts'
import { startStandIn } from '../../support/fleet/stand-in-agent.ts'
import { eventually } from '../../support/processes.ts'

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<number> => (await fleet.database.query(text)).rowCount

  it('a sweep is fed, worked off and ends', async () => {
    await registerHosts(fleet.database, ['a', 'b'])
    const tenants = tenantNames(70)
    await insertPlaces(
      fleet.database,
      ['a', 'b'].flatMap((host) => tenants.map((tenant) => ({ host, tenant }))),
    )
    await using coordinator = startCoordinator(fleet)
    await using a = await startStandIn(fleet, { host: 'a' })
    await using b = await startStandIn(fleet, {
      host: 'b',
      verdictOf: (tenant) => (tenant === 't00003' ? 'damaged' : 'sound'),
    })
    const run = await beginSweep(fleet.database)
    await eventually('the run ends', async () => (await runState(fleet.database, run)).state === 'done')
    expect(await runState(fleet.database, run)).toEqual({ state: 'done', total: 140, said: null })
    const { rows } = await fleet.database.query(
      'select host, total, done, sound, damaged from holdfast.run_host where run = $1 order by host',
      [run],
    )
    expect(rows).toEqual([
      { host: 'a', total: 70, done: 70, sound: 70, damaged: 0 },
      { host: 'b', total: 70, done: 70, sound: 69, damaged: 1 },
    ])
    expect([...a.given, ...b.given].toSorted()).toEqual([`${run}/0`, `${run}/0`, `${run}/1`, `${run}/1`])
    await eventually('an alarm', () => coordinator.alarms.length > 0)
    expect(coordinator.alarms).toMatchObject([
      { severity: 'damaged', service: 'notes', conditions: [{ host: 'b', tenant: 't00003', damage: 'index' }] },
    ])
  })

  it('two coordinators at once do each thing once', async () => {
    const hosts = ['a', 'b', 'c']
    await registerHosts(fleet.database, hosts)
    await insertPlaces(
      fleet.database,
      hosts.flatMap((host) => tenantNames(60).map((tenant) => ({ host, tenant }))),
    )
    await using one = startCoordinator(fleet)
    await using other = startCoordinator(fleet)
    await using agents = new AsyncDisposableStack()
    const verdictOf = (tenant: string) => (tenant === 't00003' ? ('damaged' as const) : ('sound' as const))
    const given: (readonly string[])[] = []
    for (const host of hosts) given.push(agents.use(await startStandIn(fleet, { host, verdictOf })).given)
    const run = await beginSweep(fleet.database)
    await eventually('the run ends', async () => (await runState(fleet.database, run)).state === 'done')
    const unsent = 'select from holdfast.told where sent_at is null'
    const alarms = () => [...one.alarms, ...other.alarms]
    const conditions = () => alarms().flatMap((alarm) => alarm.conditions)
    await eventually('each damage is told', () => conditions().length >= hosts.length)
    await eventually('all is told', async () => (await fleet.database.query(unsent)).rowCount === 0)
    expect(given.map((chunks) => chunks.toSorted())).toEqual(hosts.map(() => [`${run}/0`, `${run}/1`]))
    const told = conditions().map(({ host, tenant }) => `${host} ${tenant}`)
    expect(told.toSorted()).toEqual(['a t00003', 'b t00003', 'c t00003'])
  })

  it.skipIf(fleet.kind === 'pglite')('a database that goes away and comes back is one line each', async () => {
    const { cluster } = fleet
    if (cluster === null) throw new Error('no cluster')
    cluster.loseNothing()
    await using coordinator = startCoordinator(fleet)
    await eventually('it works', () => coordinator.notices.some((notice) => notice.startsWith('the coordinator works')))
    await eventually('all tasks are done', async () => (await rowsOf('select from holdfast.coordinator')) > 0)
    const before = coordinator.notices.length
    const since = () => coordinator.notices.slice(before)
    await cluster.stop('crash')
    await eventually('it says so', () => since().length > 0)
    await sleep(12_000) // Each task has failed by then.
    await cluster.serve()
    await eventually('it says so', () => since().at(-1)?.includes('again'))
    await sleep(3_000)
    expect(since()).toEqual([
      expect.stringMatching(/^the coordinator cannot use the database: .*; /),
      'the coordinator uses the database again',
    ])
  })
})
