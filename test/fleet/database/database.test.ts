/** Both kinds of database give the same answers, to the process that has it open and to the others. */
import { expect, it } from 'vitest'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { fleetSchemaVersion } from '../../../src/fleet/database/versions.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

eachDatabase((fleet) => {
  it('columns have the same types in both kinds', async () => {
    await using other = await fleet.open()
    for (const database of [fleet.database, other]) {
      const { rows, rowCount } = await database.query(
        `select $1::text as text, $2::int as int, $3::bigint as big, $4::boolean as yes, $5::jsonb as json,
           $6::timestamptz as at, $7::text[] as list, null::text as none, date '2026-11-23' as day,
           sum(x) as sum, array[1, 2]::bigint[] as bigs, 1.5::numeric as fraction
         from generate_series(1::bigint, 3) x`,
        ['é "quoted" {a}', 7, 9_007_199_254_740_991, true, '{"a":[1,"ü"]}', new Date(1e12), ['a,b', 'c"d', null, '']],
      )
      expect(rowCount).toBe(1)
      expect(rows[0]).toEqual({
        text: 'é "quoted" {a}',
        int: 7,
        big: 9_007_199_254_740_991,
        yes: true,
        json: { a: [1, 'ü'] },
        at: new Date(1e12),
        list: ['a,b', 'c"d', null, ''],
        none: null,
        day: '2026-11-23',
        sum: 6,
        bigs: [1, 2],
        fraction: 1.5,
      })
    }
  })

  it('counts the rows that a statement changed, or returned', async () => {
    const { database } = fleet
    const insert = `insert into holdfast.breaker(scope, reason, by) values ('a', 'r', 'p'), ('b', 'r', 'p')`
    expect(await database.query(insert)).toEqual({ rows: [], rowCount: 2 })
    expect(await database.query('update holdfast.breaker set by = $1', ['q'])).toEqual({ rows: [], rowCount: 2 })
    expect((await database.query('delete from holdfast.breaker where scope = $1 returning by', ['a'])).rowCount).toBe(1)
    expect(await database.query(`delete from holdfast.breaker where scope = 'a'`)).toEqual({ rows: [], rowCount: 0 })
  })

  it('can migrate again and again', async () => {
    // With pglite the folder has one owner, so the other one comes over the socket.
    await using other = await openFleetDatabase({ database: fleet.address, passwordFile: null, caFile: null })
    await Promise.all([migrateFleet(fleet.database), migrateFleet(other)])
    expect((await fleet.database.query('select version from holdfast.schema_version')).rows).toEqual([
      { version: fleetSchemaVersion },
    ])
  })

  it('makes the partition of a week once, and only of a week', async () => {
    await using other = await fleet.open()
    const make = 'select holdfast.result_week($1::date)'
    await Promise.all([fleet.database.query(make, ['2026-11-23']), other.query(make, ['2026-11-23'])])
    const insert = `insert into holdfast.result(week, run, host, service, tenant, path, attempt, verdict, checked_at)
      values ($1::date, 'r', 'h', 's', 't', '/p', 1, 'sound', now()) on conflict do nothing`
    expect((await other.query(insert, ['2026-11-23'])).rowCount).toBe(1)
    expect((await other.query(insert, ['2026-11-23'])).rowCount).toBe(0)
    await expect(other.query(make, ['2026-11-24'])).rejects.toThrow('no week of results begins on 2026-11-24')
    await expect(other.query(insert, ['2026-11-30'])).rejects.toThrow('no partition')
  })

  it('makes no partition of a week that a hostile or mistaken agent asks for', async () => {
    await using agent = await fleet.open()
    const partitions = async (): Promise<number> =>
      (await fleet.database.query("select from pg_inherits where inhparent = 'holdfast.result'::regclass")).rowCount
    const { rows } = await fleet.database.query<{ later: string }>(
      `select (date_trunc('week', current_date) + interval '3 weeks')::date::text as later`,
    )
    const weeks = [null, 'infinity', '-infinity', '2019-12-30', '9999-12-27', '5874897-12-27', rows[0]?.later]
    for (const week of weeks)
      await expect(agent.query('select holdfast.result_week($1::date)', [week]), week ?? 'null').rejects.toThrow(
        'no week of results begins on',
      )
    for (const week of ['2026-13-01', 'x', "2026-11-23'; drop schema holdfast cascade; --"])
      await expect(agent.query('select holdfast.result_week($1::date)', [week])).rejects.toMatchObject({
        code: 'FLEET_STATEMENT_FAILED',
      })
    expect(await partitions()).toBe(0)
  })
})
