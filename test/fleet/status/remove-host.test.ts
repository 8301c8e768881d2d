/** A host that a person takes out of the fleet: what is refused, what goes, and what stays. */
import { expect, test } from 'vitest'
import { readRun } from '../../../src/fleet/coordinator/runs/read-run.ts'
import { readFleetFacts } from '../../../src/fleet/status/read-facts.ts'
import { readHistory } from '../../../src/fleet/status/read-history.ts'
import { reconcileFleet } from '../../../src/fleet/status/reconcile-fleet.ts'
import { removeHost } from '../../../src/fleet/status/remove-host.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { makeFleet } from '../../support/fleet/known-fleet.ts'

eachDatabase((fleet) => {
  const facts = () => readFleetFacts(fleet.database, 26 * 3_600_000)
  const totals = async () => (await reconcileFleet(fleet.database, [])).totals
  const change = (sql: string) => fleet.database.query(sql)
  const remove = (host: string, id = newRunId()) => removeHost(fleet.database, { host, by: 'ada@db1', run: id })
  const silence = (host: string) =>
    change(`update holdfast.host set seen_at = now() - interval '6 minutes' where name = '${host}'`)

  test('a host that reports, has a slot, or does not exist is not removed, and nothing changes', async () => {
    await makeFleet(fleet.database)
    expect(await remove('h2')).toMatchObject({ refused: 'seen', seenAt: expect.any(Number) })
    await silence('h2')
    await change(`update holdfast.pause_slot set holder = 'h2' where scope = 'fleet'`)
    expect(await remove('h2')).toMatchObject({ refused: 'slot' })
    expect(await remove('h3')).toEqual({ refused: 'unknown', seenAt: null })
    expect(await totals()).toEqual({ 'host-missed': 1, 'slot-without-agent': 1 })
    expect((await facts()).runs.map(({ kind }) => kind)).toEqual(['sweep'])
  })

  test('a removed host is in no status; its tenants that no host has are named, its results stay', async () => {
    await makeFleet(fleet.database)
    await silence('h2')
    await change(`
      update holdfast.place set verdict = 'damaged' where tenant = 'dora';
      update holdfast.host set outbox_rows = 3 where name = 'h2';
      insert into holdfast.place (host, service, tenant, path, checked_at)
        values ('h1', 'notes', 'coda', '/x', now())`)
    const id = newRunId()
    const { at } = await facts()
    const answer = await remove('h2', id)
    expect(answer).toMatchObject({ host: 'h2', tenants: 2, files: 2, damaged: 1, outboxRows: 3, runs: [] })
    expect(answer).toMatchObject({ onNoHost: 1, listed: [{ service: 'notes', tenant: 'dora' }] })
    expect(at - ((answer.seenAt ?? 0) + 6 * 60_000)).toBeLessThan(60_000)
    const { hosts, shares, files, runs } = await facts()
    expect([hosts.map(({ name }) => name), shares.map(({ host }) => host), files]).toEqual([['h1'], ['h1'], []])
    const said = 'the host h2 was removed by ada@db1; tenants that it had: 2, of them on no other host: 1'
    expect(runs[0]).toMatchObject({ id, kind: 'removal', state: 'done', isWhole: false, total: 0, done: 0, said })
    expect(await totals()).toEqual({ 'tenant-on-no-host': 1 })
    await change(`delete from holdfast.result where host = 'h1' and tenant = 'acme'`)
    expect(await totals(), 'the newest sweep, not the removal').toHaveProperty('counts-differ', 1)
    expect(await readHistory(fleet.database, 'dora', 5)).toMatchObject([{ host: 'h2', verdict: 'sound' }])
    expect(await remove('h2')).toMatchObject({ refused: 'unknown' })
  })

  test('an unfinished run ends without the share of a removed host, also of one that never registered', async () => {
    await makeFleet(fleet.database)
    const open = newRunId()
    await change(`
      delete from holdfast.host where name = 'h2';
      insert into holdfast.run (id, kind, policy, state, total) values ('${open}', 'sweep', '{}', 'fed', 4);
      insert into holdfast.run_host (run, host, total, done) values ('${open}', 'h1', 2, 0), ('${open}', 'h2', 2, 1);
      insert into holdfast.chunk (run, host, chunk, kind, depth, priority, tenants)
        select '${open}', host, 0, 'check', 'full', 1, '["a"]' from unnest(array['h1', 'h2']) as host`)
    expect(await remove('h2')).toMatchObject({ host: 'h2', seenAt: null, tenants: 2, runs: [open] })
    const { rows } = await fleet.database.query('select host from holdfast.chunk')
    expect(rows).toEqual([{ host: 'h1' }])
    const counts = async () => (await facts()).runs.find(({ id }) => id === open)
    expect(await counts()).toMatchObject({ total: 3, done: 1 })
    // Its agent comes back and delivers the rest: that does not stand for what another host has not checked.
    await change(`update holdfast.run_host set planned = true, done = case host when 'h2' then 2 else 1 end
      where run = '${open}'`)
    expect(await counts()).toMatchObject({ total: 3, done: 2 })
    expect(await readRun(fleet.database, open)).toMatchObject({ total: 3, done: 2 })
  })
})
