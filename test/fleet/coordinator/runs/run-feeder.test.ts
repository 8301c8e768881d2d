/** How runs are fed and ended: each case that could leave out a tenant, or keep a run from its end. */
import { expect, it } from 'vitest'
import { HostWatch, silentAfterMs } from '../../../../src/fleet/coordinator/host-watch.ts'
import { RunFeeder } from '../../../../src/fleet/coordinator/runs/run-feeder.ts'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { openJobs } from '../../../../src/fleet/jobs/jobs.ts'
import { beginSweep, runState } from '../../../support/fleet/begun-runs.ts'
import { eachDatabase, type FleetUnderTest } from '../../../support/fleet/each-database.ts'
import { fleetSettings } from '../../../support/fleet/fleet-settings.ts'
import { insertPlaces, registerHosts } from '../../../support/fleet/fleet-tables.ts'

/** For a coordinator that looks less often, the time between two looks does not count. */
const lookEveryMs = 30_000

interface FeederFixture extends AsyncDisposable {
  readonly notices: string[]
  /** When the hosts were seen, by a coordinator that looks until `now` on its own clock. */
  see(hosts: Readonly<Record<string, number>>, now?: number): void
  advance(): Promise<void>
  /** Another coordinator, which knows nothing of what the first one did. */
  startAnew(database?: FleetDatabase): void
}

/** A coordinator that only feeds. The hosts `a` and `b` have a tenant each. */
async function startFeeding(fleet: FleetUnderTest): Promise<FeederFixture> {
  await using opened = new AsyncDisposableStack()
  await registerHosts(fleet.database, ['a', 'b'])
  await insertPlaces(fleet.database, [
    { host: 'a', tenant: 'acme' },
    { host: 'b', tenant: 'bolt' },
  ])
  const settings = fleetSettings(fleet)
  const jobs = opened.use(
    await openJobs({ database: fleet.database, fleet: settings, role: 'coordinator', onError: () => undefined }),
  )
  await jobs.createQueues()
  const clock = { ms: 0 }
  const watch = new HostWatch(() => clock.ms)
  const notices: string[] = []
  const feederOn = (database: FleetDatabase): RunFeeder =>
    new RunFeeder({ database, jobs, watch, onNotice: (notice) => notices.push(notice) })
  let feeder = feederOn(fleet.database)
  const all = opened.move()
  const feeding: FeederFixture = {
    notices,
    see(hosts, now = clock.ms) {
      do {
        clock.ms = Math.min(now, clock.ms + lookEveryMs)
        watch.look(Object.entries(hosts).map(([name, seen]) => ({ name, seen_at: new Date(seen) })))
      } while (clock.ms < now)
    },
    advance: () => feeder.advance(),
    startAnew(database = fleet.database) {
      feeder = feederOn(database)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
  feeding.see({ a: 1, b: 1 })
  return feeding
}

eachDatabase((fleet) => {
  const change = (sql: string) => fleet.database.query(sql)
  const jobsOf = async (): Promise<readonly string[]> => {
    const { rows } = await fleet.database.query<{ job: string }>(
      "select name || ' ' || state as job from pgboss.job order by name",
    )
    return rows.map(({ job }) => job)
  }

  it('a run whose chunks could not be queued is not fed, and is once they can be', async () => {
    await using feeding = await startFeeding(fleet)
    const run = await beginSweep(fleet.database)
    await change('alter schema pgboss rename to away')
    await expect(feeding.advance()).rejects.toMatchObject({ code: 'FLEET_NOT_PREPARED' })
    await change('alter schema away rename to pgboss')
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'feeding' })
    await feeding.advance()
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'fed', total: 2 })
    expect(await jobsOf()).toEqual(['check.a created', 'check.b created'])
  })

  it('one silent host does not stop a run on which another works; its chunks are withdrawn in the end', async () => {
    await using feeding = await startFeeding(fleet)
    const run = await beginSweep(fleet.database)
    await feeding.advance()
    feeding.see({ a: 1, b: 1 }, silentAfterMs)
    feeding.see({ a: 1, b: 2 })
    await feeding.advance()
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'fed' })
    await change(`delete from holdfast.chunk where host = 'b'`)
    await feeding.advance()
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'stopped' })
    expect(await jobsOf()).toEqual(['check.a cancelled', 'check.b created'])
  })

  it('a run that lasted for more than 20 hours is stopped, and says which hosts are left', async () => {
    await using feeding = await startFeeding(fleet)
    const run = await beginSweep(fleet.database)
    await feeding.advance()
    await change(`update holdfast.run set begun_at = now() - interval '19 hours 59 minutes'`)
    await feeding.advance()
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'fed' })
    await change(`update holdfast.run set begun_at = now() - interval '20 hours 1 second'`)
    await feeding.advance()
    const said = 'it lasted longer than 20 hours; some tenants of a, b were not checked'
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'stopped', said })
  })

  it('jobs that the database has lost are queued again', async () => {
    await using feeding = await startFeeding(fleet)
    await beginSweep(fleet.database)
    await feeding.advance()
    await change('delete from pgboss.job')
    feeding.startAnew()
    await feeding.advance()
    expect(await jobsOf()).toEqual(['check.a created', 'check.b created'])
  })

  it('a run of one host takes the tenants of that host alone', async () => {
    await using feeding = await startFeeding(fleet)
    const run = await beginSweep(fleet.database, { hosts: ['b'] })
    await feeding.advance()
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'fed', total: 1 })
    expect(await jobsOf()).toEqual(['check.b created'])
  })

  it('a triage is queued before a sweep that was begun earlier', async () => {
    await using feeding = await startFeeding(fleet)
    await beginSweep(fleet.database)
    await beginSweep(fleet.database, { kind: 'triage' })
    await feeding.advance()
    expect(feeding.notices.map((notice) => notice.split(' ')[0])).toEqual(['triage', 'sweep'])
  })

  it('a run that another coordinator has just ended stays as it is, and is not told again', async () => {
    await using feeding = await startFeeding(fleet)
    const run = await beginSweep(fleet.database)
    await feeding.advance()
    await change('delete from holdfast.chunk')
    feeding.startAnew({
      kind: fleet.kind,
      query: async (text, values) => {
        if (text.includes('with ended as')) await change(`update holdfast.run set state = 'stopped', said = 'first'`)
        return fleet.database.query(text, values)
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
    await feeding.advance()
    expect(await runState(fleet.database, run)).toMatchObject({ state: 'stopped', said: 'first' })
    expect(feeding.notices).toHaveLength(1)
  })
})
