/** A coordinator that is killed between any two of its steps: nothing is lost, done twice or told twice. */
import { expect, it } from 'vitest'
import type { FleetAlarm } from '../../../src/fleet/alarms/send-conditions.ts'
import { beginSweep, runState } from '../../support/fleet/begun-runs.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { registerHosts, insertPlaces, tenantNames } from '../../support/fleet/fleet-tables.ts'
import { startStandIn } from '../../support/fleet/stand-in-agent.ts'
import { eventually, startNode, type Program } from '../../support/processes.ts'
import type { DyingOptions } from '../../support/programs/fleet/dying-coordinator.ts'

/** A dead sender is watched for three minutes on this clock. */
const faster = 60

interface CoordinatorMessage {
  readonly alarm?: FleetAlarm
  readonly notice?: string
}

const saidBy = (program: Program): readonly CoordinatorMessage[] =>
  program
    .stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CoordinatorMessage)

eachDatabase((fleet) => {
  it('killed at each step, the run ends, and all is done and told once', async () => {
    const hosts = ['a', 'b']
    const tenants = tenantNames(60)
    const start = (step: number | null): Program => {
      const options: DyingOptions = { address: fleet.address, step, inTheMiddle: (step ?? 0) % 2 === 1, faster }
      return startNode('test/support/programs/fleet/dying-coordinator.ts', [JSON.stringify(options)])
    }
    const seenAgain = setInterval(() => void registerHosts(fleet.database, hosts), 1_000)
    using _seen = { [Symbol.dispose]: () => clearInterval(seenAgain) }
    await registerHosts(fleet.database, hosts)
    await insertPlaces(
      fleet.database,
      hosts.flatMap((host) => tenants.map((tenant) => ({ host, tenant }))),
    )
    const run = await beginSweep(fleet.database)
    const said: CoordinatorMessage[] = []
    let kills = 0
    await using agents = new AsyncDisposableStack()
    const agentsReady = Promise.all(
      hosts.map(async (host) =>
        agents.use(await startStandIn(fleet, { host, verdictOf: (id) => (id === 't00007' ? 'damaged' : 'sound') })),
      ),
    )
    // Each one goes a step further than the one before, and the last one to the end.
    for (let step = 1; step <= 8; step++) {
      await using coordinator = start(step)
      const { signal } = await coordinator.ended
      expect(signal).toBe('SIGKILL')
      kills++
      said.push(...saidBy(coordinator))
    }
    await using last = start(null)
    const given = (await agentsReady).map((agent) => agent.given)
    await eventually('the run ends', async () => (await runState(fleet.database, run)).state === 'done')
    const untold = 'select from holdfast.told where sent_at is null'
    const alarmsOf = () => [...said, ...saidBy(last)].flatMap(({ alarm }) => alarm ?? [])
    await eventually('both tenants are told', () => new Set(alarmsOf().flatMap(keysOf)).size === 2)
    await eventually('nothing is left to be told', async () => (await fleet.database.query(untold)).rowCount === 0)
    expect(kills).toBe(8)
    // Each chunk was given out once.
    expect(given.map((chunks) => chunks.toSorted())).toEqual([
      [`${run}/0`, `${run}/1`],
      [`${run}/0`, `${run}/1`],
    ])
    const { rows } = await fleet.database.query(
      'select host, total, done, sound, damaged from holdfast.run_host where run = $1 order by host',
      [run],
    )
    expect(rows).toEqual(hosts.map((host) => ({ host, total: 60, done: 60, sound: 59, damaged: 1 })))
    // A condition is in one alarm; an alarm that was sent twice has the same id.
    const ids = new Map<string, Set<string>>()
    for (const alarm of alarmsOf())
      for (const key of keysOf(alarm)) ids.set(key, (ids.get(key) ?? new Set()).add(alarm.id))
    expect([...ids.values()].map((of) => of.size)).toEqual([1, 1])
  })
})

const keysOf = ({ severity, conditions }: FleetAlarm): readonly string[] =>
  conditions.map(({ host, tenant }) => `${severity} ${host} ${tenant}`)
