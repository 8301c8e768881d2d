/**
 * The log of results, one row for each attempt, partitioned by week: old weeks are dropped in one step. `week` is the
 * Monday (UTC) of the time in the run's id, so it is the same in each delivery. An agent may not create tables, so
 * `result_week` does it for it. It runs with the rights of the coordinator, and creates nothing but that partition.
 *
 * Weeks of the future could push out those that are kept (`fleet/coordinator/delete-old-results.ts`), so they are
 * refused. The clock of the host that begins a run may be ahead of that of the database by a week.
 */

import { advisoryLock } from '../advisory-locks.ts'

export const resultTables = `
create table if not exists holdfast.result(
  week date not null,
  run text not null,
  host text not null,
  service text not null,
  tenant text not null,
  path text not null,
  attempt integer not null,
  verdict text not null,
  damage text,
  failure text,
  checked_at timestamptz not null,
  delivered_at timestamptz not null default now(),
  report jsonb,
  primary key (week, run, host, tenant, path, attempt)
) partition by range (week);
create index if not exists result_tenant on holdfast.result (service, tenant, checked_at);
create index if not exists result_delivered on holdfast.result (delivered_at);
create index if not exists result_failed on holdfast.result (failure) where failure is not null;
create or replace function holdfast.result_week(monday date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  part text;
begin
  if monday is null or extract(isodow from monday) <> 1 or monday < date '2020-01-01' or monday > current_date + 14 then
    raise exception 'no week of results begins on %', monday using errcode = 'HF002';
  end if;
  part := 'result_' || to_char(monday, 'YYYYMMDD');
  if to_regclass('holdfast.' || part) is not null then return; end if;
  perform pg_advisory_xact_lock(${advisoryLock.week});
  execute format('create table if not exists holdfast.%I partition of holdfast.result for values from (%L) to (%L)',
    part, monday, monday + 7);
end $$;
`
