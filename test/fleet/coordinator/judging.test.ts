/** What a coordinator makes of what the tables say: dead chunks, damage on several hosts, hosts that stay silent. */
import { expect, it } from 'vitest'
import { dropOldWeeks, forgetGoneFiles, weeksKept } from '../../../src/fleet/coordinator/delete-old-results.ts'
import { failDeadChunk } from '../../../src/fleet/coordinator/fail-dead-chunk.ts'
import { HostWatch, silentAfterMs } from '../../../src/fleet/coordinator/host-watch.ts'
import { chunksLeft, planHost } from '../../../src/fleet/coordinator/runs/plan-host.ts'
import { RunFeeder } from '../../../src/fleet/coordinator/runs/run-feeder.ts'
import { stopPausesAfterDamage } from '../../../src/fleet/coordinator/stop-after-damage.ts'
import { openJobs } from '../../../src/fleet/jobs/jobs.ts'
import { beginSweep } from '../../support/fleet/begun-runs.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { fleetSettings } from '../../support/fleet/fleet-settings.ts'
import { registerHosts, insertPlaces } from '../../support/fleet/fleet-tables.ts'

eachDatabase((fleet) => {
  it('the tenants of a dead chunk have failed, told once, and are first in the next sweep', async () => {
    await registerHosts(fleet.database, ['a'])
    await insertPlaces(fleet.database, [
      { host: 'a', tenant: 'acme', verdict: 'sound', sound: 1, checked: 1 },
      { host: 'a', tenant: 'old', verdict: 'sound', sound: 5, checked: 5 },
    ])
    const run = await beginSweep(fleet.database)
    await planHost(fleet.database, run, 'a')
    const [chunk] = await chunksLeft(fleet.database, run, 'a')
    if (chunk === undefined) throw new Error('nothing was planned')
    const dead = { ...chunk, tenants: chunk.tenants.filter((id) => id === 'acme') }
    for (const _ of [1, 2]) await failDeadChunk(fleet.database, 'a', dead, 'the agent was\u0007 killed')
    const { rows: results } = await fleet.database.query(
      'select tenant, verdict, failure, attempt from holdfast.result',
    )
    expect(results).toEqual([{ tenant: 'acme', verdict: 'failed', failure: 'FLEET_CHUNK_FAILED', attempt: 0 }])
    const { rows: told } = await fleet.database.query<{ text: string }>(
      "select body ->> 'text' as text from holdfast.told",
    )
    expect(told).toHaveLength(1)
    expect(told[0]?.text).not.toContain('\u0007')
    await fleet.database.query(`update holdfast.run set state = 'done'`)
    const next = await beginSweep(fleet.database)
    await planHost(fleet.database, next, 'a')
    expect((await chunksLeft(fleet.database, next, 'a'))[0]?.tenants).toEqual(['acme', 'old'])
  })

  it('new damage on three hosts stops all pauses, once for a run', async () => {
    const hosts = ['a', 'b', 'c']
    const run = await beginSweep(fleet.database)
    await insertPlaces(
      fleet.database,
      hosts.map((host) => ({ host, tenant: 'acme', verdict: 'damaged', sound: 1, checked: 0 })),
    )
    const damaged = 'update holdfast.place set run = $1 where host = any($2)'
    await fleet.database.query(`insert into holdfast.run_host (run, host, done) values ($1, 'a', 100)`, [run])
    await fleet.database.query(damaged, [run, ['a', 'b']])
    expect(await stopPausesAfterDamage(fleet.database)).toEqual([])
    await fleet.database.query(damaged, [run, hosts])
    expect(await stopPausesAfterDamage(fleet.database)).toEqual([
      `3 files of notes on 3 hosts were sound and are damaged in run ${run}: holdfast may be the cause`,
    ])
    const { rowCount } = await fleet.database.query(`delete from holdfast.breaker where scope = 'fleet'`)
    expect(rowCount).toBe(1)
    // A person has closed it.
    expect(await stopPausesAfterDamage(fleet.database)).toEqual([])
  })

  it('new damage on three hosts shows although a person has stopped the pauses, whose reason is kept', async () => {
    await fleet.database.query(`insert into holdfast.breaker (scope, reason, by) values ('fleet', 'new racks', 'ada')`)
    const run = await beginSweep(fleet.database)
    await insertPlaces(
      fleet.database,
      ['a', 'b', 'c'].map((host) => ({ host, tenant: 'acme', verdict: 'damaged', sound: 1, checked: 0 })),
    )
    await fleet.database.query('update holdfast.place set run = $1', [run])
    await fleet.database.query(`insert into holdfast.run_host (run, host, done) values ($1, 'a', 100)`, [run])
    const [reason] = await stopPausesAfterDamage(fleet.database)
    expect(reason).toMatch(/^3 files of notes .* may be the cause; pauses were stopped before by ada: new racks$/)
    expect((await fleet.database.query('select scope, reason, by from holdfast.breaker')).rows).toEqual([
      { scope: 'fleet', reason, by: 'coordinator' },
    ])
  })

  it('damage of one host alone, and of a run that has ended, stops nothing', async () => {
    const run = await beginSweep(fleet.database)
    await insertPlaces(
      fleet.database,
      ['acme', 'bolt', 'coda', 'dora'].map((tenant) => ({
        host: 'a',
        tenant,
        verdict: 'damaged',
        sound: 1,
        checked: 0,
      })),
    )
    await fleet.database.query(`insert into holdfast.run_host (run, host, done) values ($1, 'a', 100)`, [run])
    await fleet.database.query('update holdfast.place set run = $1', [run])
    expect(await stopPausesAfterDamage(fleet.database)).toEqual([])
    await fleet.database.query(`update holdfast.place set host = 'host of ' || tenant`)
    await fleet.database.query(`update holdfast.run set state = 'done'`)
    expect(await stopPausesAfterDamage(fleet.database)).toEqual([])
    await fleet.database.query(`update holdfast.run set state = 'fed'`)
    expect(await stopPausesAfterDamage(fleet.database)).toHaveLength(1)
  })

  it('damage that was never sound, or is little among much, stops nothing', async () => {
    const run = await beginSweep(fleet.database)
    await fleet.database.query(`insert into holdfast.run_host (run, host, done) values ($1, 'a', 300)`, [run])
    await insertPlaces(
      fleet.database,
      ['a', 'b', 'c'].map((host) => ({ host, tenant: 'acme', verdict: 'damaged', sound: 1, checked: 0 })),
    )
    await insertPlaces(
      fleet.database,
      ['a', 'b', 'c', 'd'].map((host) => ({ host, tenant: 'new', verdict: 'damaged', checked: 0 })),
    )
    await fleet.database.query('update holdfast.place set run = $1', [run])
    expect(await stopPausesAfterDamage(fleet.database)).toEqual([])
  })

  it('a run ends as stopped when the hosts that are left are silent, and not before', async () => {
    await registerHosts(fleet.database, ['a'])
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme' }])
    const run = await beginSweep(fleet.database)
    const settings = fleetSettings(fleet)
    const { database } = fleet
    await using jobs = await openJobs({ database, fleet: settings, role: 'coordinator', onError: () => undefined })
    await jobs.createQueues()
    const clock = { ms: 0 }
    const watch = new HostWatch(() => clock.ms)
    const feeder = new RunFeeder({ database, jobs, watch, onNotice: () => undefined })
    const pass = async (): Promise<unknown> => {
      watch.look(
        (await database.query<{ name: string; seen_at: Date }>('select name, seen_at from holdfast.host')).rows,
      )
      await feeder.advance()
      return (await database.query('select state, said from holdfast.run where id = $1', [run])).rows[0]
    }
    expect(await pass()).toEqual({ state: 'fed', said: null })
    // The clock of the database is stepped: the host looks as if it was seen hours ago.
    await database.query(`update holdfast.host set seen_at = seen_at - interval '5 hours'`)
    expect(await pass()).toEqual({ state: 'fed', said: null })
    for (; clock.ms < silentAfterMs; clock.ms += 60_000) expect(await pass()).toEqual({ state: 'fed', said: null })
    expect(await pass()).toEqual({
      state: 'stopped',
      said: 'the hosts that are left are silent; some tenants of a were not checked',
    })
    expect((await database.query('select from holdfast.chunk')).rowCount).toBe(0)
    expect((await database.query("select from holdfast.told where kind = 'run-stopped'")).rowCount).toBe(1)
  })

  it('the oldest weeks of results are dropped by their number, whatever a clock says', async () => {
    const weeks = Array.from({ length: weeksKept + 2 }, (_, at) => new Date(Date.UTC(2020, 5, 1 + 7 * at)))
    for (const week of weeks)
      await fleet.database.query('select holdfast.result_week($1::date)', [week.toISOString().slice(0, 10)])
    expect(await dropOldWeeks(fleet.database)).toEqual(['20200608', '20200601'])
    expect(await dropOldWeeks(fleet.database)).toEqual([])
  })

  it('a file that is gone is forgotten after that time, once no result of it is kept', async () => {
    const tenants = ['here', 'just gone', 'has a result', 'long gone']
    await insertPlaces(
      fleet.database,
      tenants.map((tenant) => ({ host: 'a', tenant, verdict: 'sound', sound: 1, checked: 1 })),
    )
    await fleet.database.query(`
      update holdfast.place set gone_at = now() - interval '14 weeks' where tenant in ('has a result', 'long gone');
      update holdfast.place set gone_at = now() - interval '12 weeks' where tenant = 'just gone';
      select holdfast.result_week('2020-06-01');
      insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, checked_at)
        select '2020-06-01', 'r', host, service, tenant, path, 1, 'sound', now() from holdfast.place
        where tenant = 'has a result';
      insert into holdfast.content (host, service, tenant, path, table_name, run, checked_at)
        select host, service, tenant, path, 'notes', 'r', now() from holdfast.place`)
    expect([await forgetGoneFiles(fleet.database), await forgetGoneFiles(fleet.database)]).toEqual([1, 0])
    for (const table of ['place', 'content']) {
      const { rows } = await fleet.database.query<{ tenant: string }>(`select tenant from holdfast.${table}`)
      expect(rows.map(({ tenant }) => tenant).toSorted()).toEqual(['has a result', 'here', 'just gone'])
    }
  })
})
