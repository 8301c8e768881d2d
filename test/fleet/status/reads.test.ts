/** What the status, the history and the reconciliation read from real tables, with one thing wrong at a time. */
import { describe, expect, test } from 'vitest'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { readAgents, readFleetFacts } from '../../../src/fleet/status/read-facts.ts'
import { readHistory } from '../../../src/fleet/status/read-history.ts'
import { reconcileFleet } from '../../../src/fleet/status/reconcile-fleet.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { makeFleet, runOfFleet as run } from '../../support/fleet/known-fleet.ts'

const hour = 3_600_000
const day = 24 * hour
describe('reads', () => {
  eachDatabase((fleet) => {
    const facts = () => readFleetFacts(fleet.database, 26 * hour)
    const totals = async () => (await reconcileFleet(fleet.database, [])).totals
    const change = (sql: string) => fleet.database.query(sql)

    test('a fleet that is well', async () => {
      await makeFleet(fleet.database)
      const { at, hosts, shares, files, oldest, runs, slots, breakers, coordinators, isResting } = await facts()
      expect(coordinators).toMatchObject([{ host: 'h1', version: '0.1.0' }])
      expect(Math.abs(at - Date.now())).toBeLessThan(60_000)
      expect(hosts).toMatchObject([
        { name: 'h1', domain: 'rack-1', version: '0.1.0', outboxRows: 0, outboxBytes: 0, clockSkewMs: 0, said: null },
        { name: 'h2', domain: null },
      ])
      expect(hosts.every(({ seenAt }) => Math.abs(seenAt - at) < 60_000)).toBe(true)
      const counts = { sound: 2, damaged: 0, inconclusive: 0, failed: 0, never: 0 }
      expect(shares).toMatchObject([
        { host: 'h1', service: 'notes', counts, stale: 0 },
        { host: 'h2', service: 'notes', counts, stale: 0 },
      ])
      expect(Math.abs((shares[0]?.oldestSoundAt ?? 0) - (at - hour))).toBeLessThan(60_000)
      expect([files, oldest, breakers, isResting]).toEqual([[], [], [], false])
      await change(`update holdfast.pause_epoch set id = 'another'`)
      expect((await facts()).isResting).toBe(true)
      expect(runs).toMatchObject([
        { id: run, kind: 'sweep', state: 'done', isWhole: true, total: 4, done: 4, sound: 4, failed: 0, said: null },
      ])
      expect(slots).toEqual([
        { scope: 'fleet', slot: 1, holder: null, takenAt: null, expiryMs: 0 },
        { scope: 'service:notes', slot: 1, holder: null, takenAt: null, expiryMs: 0 },
      ])
      expect(await readAgents(fleet.database, 26 * hour)).toMatchObject({ hosts: [{}, {}], shares: [{}, {}] })
      expect(await reconcileFleet(fleet.database, [])).toMatchObject({
        hosts: 2,
        files: 4,
        tenants: 4,
        disagreements: [],
        totals: {},
      })
    })

    test('empty tables', async () => {
      expect(await facts()).toMatchObject({ hosts: [], shares: [], files: [], oldest: [], runs: [], slots: [] })
      expect(await reconcileFleet(fleet.database, [])).toMatchObject({ hosts: 0, files: 0, tenants: 0, totals: {} })
      expect(await readHistory(fleet.database, 'acme', 5)).toBeNull()
    })

    test('files that are not sound have their failure, damage first; those that are gone are left out', async () => {
      await makeFleet(fleet.database)
      await change(`
        update holdfast.place set verdict = 'failed' where tenant = 'acme';
        insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, failure, checked_at)
          select week, run, 'h0', service, tenant, path, attempt, 'failed', 'READ_FAILED', checked_at
          from holdfast.result where tenant = 'acme';
        update holdfast.result set verdict = 'failed', failure = 'IN_USE' where tenant = 'acme' and host = 'h1';
        update holdfast.place set verdict = 'damaged', damage = 'index' where tenant = 'coda';
        update holdfast.place set verdict = 'inconclusive', run = null where tenant = 'bolt';
        update holdfast.place set verdict = 'damaged', gone_at = now() where tenant = 'dora'`)
      const { files, shares } = await facts()
      expect(files).toMatchObject([
        { tenant: 'coda', host: 'h2', verdict: 'damaged', damage: 'index', failure: null, run },
        { tenant: 'acme', host: 'h1', verdict: 'failed', failure: 'IN_USE' },
        { tenant: 'bolt', verdict: 'inconclusive', failure: null, run: null },
      ])
      expect(shares).toMatchObject([
        { counts: { sound: 0, damaged: 0, inconclusive: 1, failed: 1 } },
        { counts: { sound: 0, damaged: 1 } },
      ])
    })

    test('stale: never sound or too old, the longest first; damage is told apart', async () => {
      await makeFleet(fleet.database)
      await change(`
        update holdfast.place set sound_at = now() - interval '30 hours' where tenant = 'acme';
        update holdfast.place set sound_at = null, checked_at = null, verdict = null, run = null
          where tenant = 'coda';
        update holdfast.place set sound_at = null, verdict = 'damaged' where tenant = 'dora'`)
      const { shares, oldest } = await facts()
      expect(shares).toMatchObject([
        { stale: 1, counts: { never: 0 } },
        { stale: 1, oldestSoundAt: null, counts: { never: 1, damaged: 1 } },
      ])
      expect(oldest.map(({ tenant, verdict }) => [tenant, verdict])).toEqual([
        ['coda', null],
        ['acme', 'sound'],
      ])
    })

    test('a run over a part is not whole, and one without results counts none', async () => {
      await makeFleet(fleet.database)
      const now = Date.now()
      const ids = [1, 2, 3, 4].map((ago) => newRunId(now - ago))
      const policies = [
        '{"depth": "full", "hosts": ["h1"], "service": null}',
        '{"depth": "quick", "hosts": null, "service": null}',
        '{"depth": "full", "hosts": null, "service": "notes"}',
        '{"depth": "full", "hosts": null, "service": null}',
      ]
      for (const [at, id] of ids.entries())
        await fleet.database.query(
          `insert into holdfast.run (id, kind, policy, state) values ($1, 'sweep', $2::jsonb, 'stopped')`,
          [id, policies[at]],
        )
      const { runs } = await facts()
      expect(runs.map(({ id, isWhole, done, endedAt }) => [id, isWhole, done, endedAt === null])).toEqual([
        [ids[0], false, 0, true],
        [ids[1], false, 0, true],
        [ids[2], false, 0, true],
        [ids[3], true, 0, true],
        [run, true, 4, false],
      ])
    })

    test('taken slots and open breakers', async () => {
      await makeFleet(fleet.database)
      await change(`
        update holdfast.pause_slot set holder = 'h1', taken_at = now() - interval '1 hour' where scope = 'fleet';
        insert into holdfast.breaker (scope, reason, by) values ('fleet', 'a person said so', 'ada')`)
      const { slots, breakers, at } = await facts()
      expect(slots[0]).toMatchObject({ scope: 'fleet', holder: 'h1' })
      expect(Math.abs(at - hour - (slots[0]?.takenAt ?? 0))).toBeLessThan(60_000)
      expect(breakers).toMatchObject([{ scope: 'fleet', reason: 'a person said so', by: 'ada' }])
      expect(await totals()).toEqual({})
      await change(`update holdfast.host set seen_at = now() - interval '1 hour' where name = 'h1'`)
      expect(await totals()).toEqual({ 'host-missed': 1, 'slot-without-agent': 1 })
    })

    test('history: all hosts of a tenant, newest first, one more than the limit', async () => {
      await makeFleet(fleet.database)
      const older = newRunId(Date.now() - 7 * day)
      await change(`
        select holdfast.result_week('${weekOf(older)}');
        insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, failure, checked_at)
          values ('${weekOf(older)}', '${older}', 'h2', 'notes', 'acme', '/srv/acme.db', 2, 'failed', 'IN_USE',
            now() - interval '7 days')`)
      const all = await readHistory(fleet.database, 'acme', 5)
      expect(all).toMatchObject([
        { host: 'h1', run, verdict: 'sound', damage: 'none', failure: null, attempt: 1 },
        { host: 'h2', run: older, verdict: 'failed', failure: 'IN_USE', attempt: 2 },
      ])
      expect(await readHistory(fleet.database, 'acme', 1)).toHaveLength(2)
      await change(`insert into holdfast.place (host, service, tenant, path) values ('h1', 'mail', 'acme', '/srv/m.db');
        update holdfast.result set service = 'mail' where host = 'h2' and tenant = 'acme'`)
      expect((await readHistory(fleet.database, 'acme', 5))?.map(({ service }) => service)).toEqual(['notes', 'mail'])
      expect(await readHistory(fleet.database, 'zeta', 5)).toBeNull()
      await change(`delete from holdfast.result where tenant = 'dora'`)
      expect(await readHistory(fleet.database, 'dora', 5)).toEqual([])
    })

    test.each<[string, string, object]>([
      [
        'a tenant on two hosts',
        `insert into holdfast.place (host, service, tenant, path, verdict, checked_at)
           values ('h2', 'notes', 'acme', '/x.db', 'sound', now())`,
        { 'tenant-on-several-hosts': 1 },
      ],
      [
        'two files of a tenant on one host are one tenant',
        `insert into holdfast.place (host, service, tenant, path, verdict, checked_at)
           values ('h1', 'notes', 'acme', '/x.db', 'sound', now())`,
        {},
      ],
      [
        'a tenant that moved is on one host',
        `insert into holdfast.place (host, service, tenant, path, verdict, checked_at)
           values ('h2', 'notes', 'acme', '/x.db', 'sound', now());
         update holdfast.place set gone_at = now() where tenant = 'acme' and host = 'h1'`,
        {},
      ],
      [
        'a tenant that moved back',
        `insert into holdfast.place (host, service, tenant, path, verdict, checked_at, gone_at)
           values ('h2', 'notes', 'acme', '/x.db', 'sound', now(), now())`,
        {},
      ],
      [
        'a tenant of the same name of another service',
        `insert into holdfast.place (host, service, tenant, path, verdict, checked_at)
           values ('h2', 'mail', 'acme', '/x.db', 'sound', now())`,
        {},
      ],
      [
        'a tenant on no host',
        `update holdfast.place set gone_at = now() where tenant = 'acme'`,
        { 'tenant-on-no-host': 1 },
      ],
      ['a host without an agent', `delete from holdfast.host where name = 'h2'`, { 'host-unknown': 1 }],
      [
        'a host that was taken away with all its files',
        `delete from holdfast.host where name = 'h2';
         insert into holdfast.place (host, service, tenant, path, verdict, checked_at)
           select 'h1', service, tenant, path, verdict, checked_at from holdfast.place where host = 'h2';
         update holdfast.place set gone_at = now() where host = 'h2'`,
        {},
      ],
      [
        'a result that was revised',
        `insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, checked_at)
           select week, run, host, service, tenant, path, 2, verdict, checked_at from holdfast.result
           where host = 'h1'`,
        {},
      ],
      [
        'a sweep that still works',
        `update holdfast.run set state = 'fed', ended_at = null; update holdfast.run_host set done = 1, sound = 1;
         delete from holdfast.result where tenant in ('bolt', 'dora')`,
        {},
      ],
      [
        'a run without its results',
        `update holdfast.run_host set done = 1, sound = 1 where host = 'h2';
         delete from holdfast.result where tenant = 'dora'`,
        { 'results-missing': 1 },
      ],
      [
        'a log that was restored from a backup',
        `delete from holdfast.result where host = 'h1'`,
        { 'counts-differ': 1 },
      ],
      [
        'a file that the sweep missed',
        `update holdfast.place set checked_at = null, verdict = null, run = null where tenant = 'acme'`,
        { 'never-checked': 1 },
      ],
      [
        'a file that is newer than the sweep',
        `update holdfast.place set checked_at = null, verdict = null, run = null, registered_at = now()
           where tenant = 'acme'`,
        {},
      ],
    ])('reconciliation: %s', async (_, wrong, found) => {
      await makeFleet(fleet.database)
      await change(wrong)
      expect(await totals()).toEqual(found)
      const { disagreements } = await reconcileFleet(fleet.database, [])
      expect(disagreements.map(({ rule }) => rule)).toEqual(Object.keys(found))
    })

    test('a reconciliation names the hosts of a tenant, and a command that can be typed', async () => {
      await makeFleet(fleet.database)
      await change(`insert into holdfast.place (host, service, tenant, path) select host, 'notes', '-a b', '/x.db'
        from (values ('h1'), ('h2')) as known(host)`)
      const { disagreements } = await reconcileFleet(fleet.database, [])
      expect(disagreements).toMatchObject([
        { tenant: '-a b', said: '-a b of notes is on h1 and h2', next: "holdfast fleet compare -- '-a b'" },
      ])
    })
  })
})
