/** A fleet that is well, as its tables have it. */
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'

const hourMs = 3_600_000

/** The sweep of the fleet. */
export const runOfFleet = newRunId(Date.now() - 2 * hourMs)

/** Two hosts with two tenants each, and a sweep that found all of them sound an hour ago. */
export async function makeFleet(database: FleetDatabase): Promise<void> {
  await database.query(`select holdfast.result_week('${weekOf(runOfFleet)}')`)
  await database.query(
    `
    insert into holdfast.host (name, machine_id, boot_id, domain, version, started_at)
      values ('h1', 'm1', 'b1', 'rack-1', '0.1.0', now()), ('h2', 'm2', 'b2', null, '0.1.0', now());
    insert into holdfast.place
      (host, service, tenant, path, verdict, damage, checked_at, sound_at, run, attempt, registered_at)
      select host, 'notes', tenant, '/srv/' || tenant || '.db', 'sound', 'none', now() - interval '1 hour',
        now() - interval '1 hour', '${runOfFleet}', 1, now() - interval '9 days'
      from (values ('h1', 'acme'), ('h1', 'bolt'), ('h2', 'coda'), ('h2', 'dora')) as known(host, tenant);
    insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, damage, checked_at)
      select '${weekOf(runOfFleet)}', run, host, service, tenant, path, attempt, verdict, damage, checked_at
      from holdfast.place;
    insert into holdfast.run (id, kind, policy, state, begun_at, ended_at, total)
      values ('${runOfFleet}', 'sweep', '{"depth": "full"}', 'done', now() - interval '2 hours', now(), 4);
    insert into holdfast.run_host (run, host, total, done, sound)
      select '${runOfFleet}', host, 2, 2, 2 from unnest(array['h1', 'h2']) as host;
    insert into holdfast.coordinator (id, host, version) values ('c1', 'h1', '0.1.0');
    insert into holdfast.pause_slot (scope, slot) values ('fleet', 1), ('service:notes', 1)`,
  )
}
