/** The SQL of SETUP.md, run as it is written: the roles can do what they must, and nothing else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTenant } from '../../src/fleet/compare/compare-tenant.ts'
import type { FleetDatabase } from '../../src/fleet/database/database.ts'
import { migrateFleet } from '../../src/fleet/database/migrate.ts'
import { openFleetDatabase } from '../../src/fleet/database/open-database.ts'
import { readAgents, readFleetFacts } from '../../src/fleet/status/read-facts.ts'
import { readHistory } from '../../src/fleet/status/read-history.ts'
import { setUpRoles, setUpStatements } from '../support/fleet/fleet-roles.ts'
import { noPostgres, PostgresCluster } from '../support/fleet/postgres-cluster.ts'

describe.skipIf(noPostgres !== null)(
  `the roles of SETUP.md${noPostgres === null ? '' : ` (skipped: ${noPostgres})`}`,
  () => {
    let cluster: PostgresCluster
    const opened = new AsyncDisposableStack()
    const openAs = async (user: string, database: string): Promise<FleetDatabase> =>
      opened.use(
        await openFleetDatabase({
          database: { kind: 'postgres', host: cluster.folder, port: 5432, user, database },
          passwordFile: null,
          caFile: null,
        }),
      )

    beforeAll(async () => {
      cluster = opened.use(await PostgresCluster.start())
      await setUpRoles(cluster)
      await migrateFleet(await openAs('holdfast_coordinator', 'holdfast'))
    })
    afterAll(() => opened.disposeAsync())

    test('the document has two blocks', () => expect(setUpStatements.map(({ length }) => length)).toEqual([4, 8]))

    test('an agent reads and writes rows, makes the partition of a week, and can change no table', async () => {
      const agent = await openAs('holdfast_agent', 'holdfast')
      await agent.query("select holdfast.result_week(date_trunc('week', now() at time zone 'UTC')::date)")
      await agent.query(
        `insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, checked_at)
       values (date_trunc('week', now() at time zone 'UTC')::date, 'R', 'a', 's', 't', 'p', 1, 'sound', now())`,
      )
      await agent.query("insert into holdfast.place (host, service, tenant, path) values ('a', 's', 't', 'p')")
      await agent.query("select nextval('holdfast.pause_fence')")
      expect((await agent.query('delete from holdfast.place')).rowCount).toBe(1)
      for (const statement of [
        'create table holdfast.own (a int)',
        'create table public.own (a int)',
        'create schema own',
        'drop table holdfast.place',
        'alter table holdfast.place add column a int',
        'truncate holdfast.place',
      ])
        await expect(agent.query(statement), statement).rejects.toMatchObject({ code: 'FLEET_REFUSED' })
    })

    test('a reader reads, and writes nothing', async () => {
      const reader = await openAs('holdfast_reader', 'holdfast')
      expect((await reader.query('select * from holdfast.place')).rows).toEqual([])
      for (const statement of [
        'delete from holdfast.place',
        "select nextval('holdfast.pause_fence')",
        "select holdfast.result_week('2026-11-23')",
      ])
        await expect(reader.query(statement), statement).rejects.toMatchObject({ code: 'FLEET_REFUSED' })
    })

    test('a reader can ask for the status, the agents, the history, and a comparison', async () => {
      const reader = await openAs('holdfast_reader', 'holdfast')
      expect((await readFleetFacts(reader, 86_400_000)).hosts).toEqual([])
      expect((await readAgents(reader, 86_400_000)).hosts).toEqual([])
      expect(await readHistory(reader, 'acme', 10)).toBeNull()
      const asked = { tenant: 'acme', services: null, version: 'test', byKey: null }
      await expect(compareTenant(reader, asked)).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' })
    })

    test('no other role may connect', async () => {
      await (await openAs('fleet', 'postgres')).query('create role other login')
      const other = await openAs('other', 'holdfast')
      await expect(other.query('select 1')).rejects.toMatchObject({ code: 'FLEET_REFUSED' })
    })
  },
)
