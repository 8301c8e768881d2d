/**
 * A chunk that fails in all its attempts, by the real queue of pg-boss: what has a result keeps it, the rest has
 * failed, and the sweep, the status and an alarm say so. The next sweep checks it.
 */
import { expect, test } from 'vitest'
import { loadPgBoss } from '../../../src/fleet/database/optional-packages.ts'
import { queueOf } from '../../../src/fleet/jobs/queues.ts'
import { startHost, type FleetHost } from '../../support/fleet/agent-hosts.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { startCoordinator } from '../../support/fleet/running-coordinator.ts'
import { descendantsRunning, eventually, isRunning, type Program } from '../../support/processes.ts'

const attempts = 4

/** As pg-boss lets anybody set it. A chunk of a real fleet waits 30 s. */
async function retrySoon({ database }: FleetUnderTest, host: string): Promise<void> {
  const { PgBoss } = await loadPgBoss()
  const executeSql = async (text: string, values?: unknown[]) => ({
    rows: [...(await database.query(text, values)).rows],
  })
  const boss = new PgBoss({ db: { executeSql }, schema: 'pgboss', migrate: false, supervise: false, schedule: false })
  await boss.start()
  await boss.updateQueue(queueOf(host), { retryDelay: 0 })
  await boss.stop()
}

/** As the kernel does it when memory is short, each time that the chunk is examined. */
async function killEachAttempt(agent: Program, mayKill: () => Promise<boolean>): Promise<void> {
  for (let killed = 0; killed < attempts; killed++) {
    const child = await eventually(`attempt ${killed + 1}: ${agent.stderr()}`, () =>
      descendantsRunning(agent.pid, 'chunk-child').find(isRunning),
    )
    await eventually('it works on the tenant that is left', mayKill)
    process.kill(child, 'SIGKILL')
    await eventually('it has ended', () => !isRunning(child))
  }
}

interface FileResult {
  readonly tenant: string
  readonly verdict: string
  readonly failure: string | null
  readonly attempt: number
}

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const placesKnown = async ({ demo }: FleetHost): Promise<boolean> =>
    (await rowsOf('select from holdfast.place')).length === demo.tenants.length

  test('the rest of a chunk that fails four times has failed, and people hear of it', async () => {
    await using host = await startHost(fleet.address, 'alpha', { tenants: 2, misbehave: 'slow=1500' })
    const settings = { maxPaused: { fleet: 9, service: 9, domain: 9 } } // Each kill leaves a slot taken.
    await using coordinator = startCoordinator(fleet, { settings })
    await using agent = await host.startAgent()
    await eventually('its tenants are known', () => placesKnown(host))
    await retrySoon(fleet, 'alpha')
    await using sweep = host.holdfast.start('fleet', 'sweep', '--json')
    const results = async (): Promise<readonly FileResult[]> =>
      (await fleet.database.query<FileResult>('select tenant, verdict, failure, attempt from holdfast.result')).rows
    await killEachAttempt(agent, async () => (await results()).length > 0)
    const swept = await sweep.ended
    // The one that is paused longer may have its result later.
    const [sound, failing] = (await results()).toSorted((one, other) => other.attempt - one.attempt)
    expect([sound, failing]).toMatchObject([
      { verdict: 'sound', failure: null, attempt: 1 },
      { verdict: 'failed', failure: 'FLEET_CHUNK_FAILED', attempt: 0 },
    ])
    const dead = failing?.tenant ?? ''
    expect(swept.code).toBe(1)
    const sweptDocument: unknown = JSON.parse(swept.stdout)
    expect(sweptDocument).toMatchObject({
      run: { state: 'done', said: null },
      counts: { total: 2, done: 2, sound: 1, failed: 1 },
      problems: [{ host: 'alpha', tenant: dead, verdict: 'failed' }],
    })
    const status = await host.holdfast.run('fleet', 'status', '--format', 'nagios')
    expect([status.code, status.stdout]).toEqual([
      1,
      expect.stringContaining(`FAILED 1: ${dead} on alpha (FLEET_CHUNK_FAILED)`),
    ])
    await eventually('an alarm', () => coordinator.alarms.length > 0)
    expect(coordinator.alarms).toMatchObject([
      {
        severity: 'inconclusive',
        conditions: [
          {
            host: 'alpha',
            text: expect.stringMatching(
              /^The agent of alpha could not examine 1 of 2 tenants of run \w{26}, in all attempts: the process chunk-/,
            ),
          },
        ],
      },
    ])
    const failed =
      "select body ->> 'tenant' as tenant, body ->> 'verdict' as verdict " +
      "from holdfast.told where body ->> 'tenant' <> ''"
    await eventually('the file is told too', async () => (await rowsOf(failed)).length > 0)
    expect(await rowsOf(failed)).toEqual([{ tenant: dead, verdict: 'failed' }])
    const jobs = "select name, state::text as state, retry_count from pgboss.job where name <> 'sweep' order by name"
    expect(await rowsOf(jobs)).toEqual([
      { name: 'check.alpha', state: 'failed', retry_count: attempts - 1 },
      { name: 'dead-letters', state: 'completed', retry_count: 0 },
    ])
  })
})
