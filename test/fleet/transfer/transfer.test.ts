/** The tables of a fleet move to another database as they are; a file that is not whole is refused as a whole. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { migrateFleet } from '../../../src/fleet/database/migrate.ts'
import { fleetSchemaVersion as version } from '../../../src/fleet/database/versions.ts'
import { exportFleet } from '../../../src/fleet/transfer/export-fleet.ts'
import { importFleet } from '../../../src/fleet/transfer/import-fleet.ts'
import { movedTables } from '../../../src/fleet/transfer/moved-tables.ts'
import { makeFolder } from '../../support/cli/folder.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

const { signal } = new AbortController()
const tenants = 2_500

/** Of a database alone: slots and their limits, coordinators that are there, questions of minutes, its version. */
const ownTables = ['coordinator', 'pause_epoch', 'pause_limit', 'pause_slot', 'question', 'schema_version']

/** Text that is more than letters, numbers beyond 2^53, NULL, and more rows than a page has. */
async function fill(database: FleetDatabase): Promise<void> {
  await database.query(`
    select holdfast.result_week('2026-11-23'), holdfast.result_week('2026-11-30');
    insert into holdfast.host(name, machine_id, boot_id, version, started_at, outbox_bytes)
      values ('db7', 'm', 'b', '0.1.0', now(), 9007199254740993);
    insert into holdfast.place(host, service, tenant, path, ino, verdict, sound_at)
      select 'db7', 'notes', 'tenant "' || n || E'" \\\\ \\n é', '/srv/' || n, n::text, 'sound',
        now() - n * interval '1 s'
      from generate_series(1, ${tenants}) n;
    insert into holdfast.content(host, service, tenant, path, table_name, rows, facts, run, checked_at)
      values ('db7', 'notes', 't', '/p', 'notes', 12345678901234567, '{"n": 12345678901234567890.5}', 'r', now());
    insert into holdfast.run(id, kind, policy, state) values ('r', 'sweep', '{"a": [1]}', 'done');
    insert into holdfast.run_host(run, host, total) values ('r', 'db7', 7);
    insert into holdfast.chunk(run, host, chunk, kind, depth, priority, tenants)
      values ('r', 'db7', 3, 'check', 'full', 40, '["a", "b"]');
    insert into holdfast.told(kind, subject, since, body) values ('DAMAGED', 't', '1', '{"title": "…"}');
    insert into holdfast.breaker(scope, reason, by) values ('fleet', 'maintenance', 'a person');
    insert into holdfast.breaker_closed(scope, by) values ('service:notes', 'a person');
    insert into holdfast.result(week, run, host, service, tenant, path, attempt, verdict, checked_at, report)
      select '2026-11-23'::date + 7 * (n % 2), 'r', 'db7', 'notes', 't' || n, '/p', 1, 'sound',
        timestamptz '2026-11-24 01:02:03.123456+02',
        case when n % 3 = 0 then jsonb_build_object('text', repeat('x', n)) end
      from generate_series(1, 250) n;`)
}

const digests = async (database: FleetDatabase): Promise<unknown> =>
  Promise.all(
    movedTables.map(async ({ name }) => [
      name,
      (
        await database.query(
          `select count(*) as n, md5(string_agg(t::text, '|' order by t::text)) as md5 from holdfast.${name} t`,
        )
      ).rows,
    ]),
  )

eachDatabase((fleet) => {
  it('each table moves, or belongs to its database', async () => {
    const { rows } = await fleet.database.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'holdfast'::regnamespace and relkind in ('r', 'p')
         and not relispartition`,
    )
    const moved = movedTables.map(({ name }) => name)
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...moved, ...ownTables].toSorted())
  })

  const empty = async (): Promise<void> => {
    await fleet.database.query('drop schema holdfast cascade')
    await migrateFleet(fleet.database)
  }

  it('all rows come back the same, also when a part of them is there already', async () => {
    using folder = makeFolder()
    const file = folder.in('fleet.jsonl')
    await fill(fleet.database)
    const before = await digests(fleet.database)
    const exported = await exportFleet(fleet.database, file, version, signal)
    expect(exported.rows).toEqual({
      breaker: 1,
      breaker_closed: 1,
      host: 1,
      place: tenants,
      content: 1,
      run: 1,
      run_host: 1,
      chunk: 1,
      told: 1,
      result: 250,
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await empty()
    await using other = await fleet.open()
    await fleet.database.query(`insert into holdfast.run_host(run, host, total) values ('r', 'db7', 7)`)
    expect(await importFleet(fleet.database, file, version, signal)).toMatchObject(exported)
    expect(await digests(other)).toEqual(before)
    await importFleet(fleet.database, file, version, signal)
    expect(await digests(other)).toEqual(before)
    const { rows } = await other.query(
      `select holdfast.pause_take(array['fleet'], 'db7', 'a', gen_random_uuid(), 0) as answer`,
    )
    expect(rows).toEqual([{ answer: { refused: 'epoch' } }])
  })

  it('a file that was cut, changed, or is of another version is refused, and nothing is imported', async () => {
    using folder = makeFolder()
    const file = folder.in('fleet.jsonl')
    await fill(fleet.database)
    await exportFleet(fleet.database, file, version, signal)
    await expect(exportFleet(fleet.database, file, version, signal)).rejects.toThrow('cannot write')
    const broken = folder.in('broken.jsonl')
    await expect(exportFleet(fleet.database, broken, version, AbortSignal.abort())).rejects.toThrow('aborted')
    expect(existsSync(broken)).toBe(false)
    const lines = readFileSync(file, 'utf8').split('\n')
    await empty()
    const wrong: readonly (readonly [string, readonly string[], string])[] = [
      ['cut', lines.slice(0, -2), 'its end is missing'],
      ['cut within a line', [lines.join('\n').slice(0, -200)], 'is no line of an export'],
      ['a line less', [...lines.slice(0, 5), ...lines.slice(6)], 'the digest differs'],
      [
        'a verdict changed',
        lines.map((line) => line.replace('"verdict":"sound"', '"verdict":"SOUND"')),
        'the digest differs',
      ],
      [
        'a table of ours that does not move',
        [lines[0] ?? '', '{"table":"pause_slot","row":{}}'],
        'names no known table',
      ],
      ['something after the end', [...lines.slice(0, -1), '{}', ''], 'lines follow its end'],
      ['another file', ['{"schema":"holdfast.report/1"}'], 'it is no export of a fleet'],
      ['empty', [], 'its end is missing'],
      ['a newer version', lines.map((line) => line.replace(`"version":${version}`, '"version":99')), 'version 99'],
    ]
    for (const [what, changed, why] of wrong) {
      const path = folder.in('wrong.jsonl')
      writeFileSync(path, changed.join('\n'))
      await expect(importFleet(fleet.database, path, version, signal), what).rejects.toThrow(why)
    }
    expect((await fleet.database.query('select from holdfast.place')).rowCount).toBe(0)
  })
})
