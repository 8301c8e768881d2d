/**
 * Who may pause a tenant now: one row a slot, the epoch in which fences are comparable, and the breaker. No wall clock
 * takes part: `taken_at` is for people. `expiry_ms` is the expiry of the host that took the slot last. It fits the
 * pauses of that host, and that of a coordinator may not. `fleet/pause/README.md` has the rules.
 */

import { advisoryLock } from '../advisory-locks.ts'

export const pauseTables = `
create sequence if not exists holdfast.pause_fence;
create table if not exists holdfast.pause_limit(
  kind text primary key check (kind in ('fleet', 'service', 'domain')),
  slots integer not null
);
create table if not exists holdfast.pause_slot(
  scope text not null,
  slot integer not null,
  fence bigint not null default 0,
  holder text,
  agent text,
  hold uuid,
  taken_at timestamptz,
  expiry_ms bigint not null default 0,
  primary key (scope, slot)
);
create table if not exists holdfast.pause_epoch(
  one boolean primary key default true check (one),
  id text not null,
  generation integer not null default 1
);
create table if not exists holdfast.breaker(
  scope text primary key,
  reason text not null,
  since timestamptz not null default now(),
  by text not null
);
create table if not exists holdfast.breaker_closed(
  scope text primary key,
  at timestamptz not null default now(),
  by text not null
);

-- The timeline comes from the name of the WAL file: right after a promotion pg_control_checkpoint() has the old one.
create or replace function holdfast.pause_epoch_now() returns text
language sql volatile security definer set search_path = pg_catalog as $$
  select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) from pg_control_system()
$$;
-- It says nothing that is secret, and the status of a monitor asks for it.
grant execute on function holdfast.pause_epoch_now() to public;
insert into holdfast.pause_epoch(id) values (holdfast.pause_epoch_now()) on conflict do nothing;

-- One row for each scope, all or nothing. The locks on rows end with the statement. A scope is sorted before another in
-- all takes, and a row that another take has locked is passed over, so no take waits for another.
create or replace function holdfast.pause_take(
  scopes text[], taker text, identity text, taken uuid, expiry bigint
) returns jsonb
language plpgsql volatile as $$
declare
  epoch holdfast.pause_epoch;
  stopped jsonb;
  wanted text;
  most integer;
  hosts integer; -- About so many: counting them for each question would cost more than all else here.
  free integer;
  found_slots integer[] := '{}';
  granted jsonb;
begin
  -- Who stops pauses waits for this lock: each take either sees the breaker or is seen.
  perform pg_advisory_xact_lock_shared(${advisoryLock.takes});
  select * into epoch from holdfast.pause_epoch;
  if epoch.id is distinct from holdfast.pause_epoch_now() then return jsonb_build_object('refused', 'epoch'); end if;
  select jsonb_build_object('refused', 'breaker', 'scope', b.scope, 'reason', b.reason, 'by', b.by) into stopped
    from holdfast.breaker b where b.scope = any(scopes) order by b.scope limit 1;
  if found then return stopped; end if;
  -- Hosts that wait ask again and again. A refusal must write nothing: a lock on a row is written, too.
  select asked.scope into wanted from unnest(scopes) as asked(scope)
    join holdfast.pause_limit l on l.kind = split_part(asked.scope, ':', 1)
    where l.slots <= (select count(*) from holdfast.pause_slot p
      where p.scope = asked.scope and p.slot <= l.slots and p.holder is not null)
    order by asked.scope limit 1;
  if found then
    select greatest(reltuples, 0) into hosts from pg_class where oid = 'holdfast.host'::regclass;
    return jsonb_build_object('refused', 'full', 'scope', wanted, 'hosts', hosts);
  end if;
  foreach wanted in array scopes loop
    select l.slots into most from holdfast.pause_limit l where l.kind = split_part(wanted, ':', 1);
    if most is null then return jsonb_build_object('refused', 'limit', 'scope', wanted); end if;
    for tries in 1..2 loop
      select p.slot into free from holdfast.pause_slot p
        where p.scope = wanted and p.slot <= most and p.holder is null
        order by p.slot limit 1 for update skip locked;
      exit when free is not null or tries = 2;
      -- The first take of a scope makes its rows, and so does the first one above an old limit.
      insert into holdfast.pause_slot(scope, slot)
        select wanted, n from generate_series(1, most) n
        where not exists (select from holdfast.pause_slot p where p.scope = wanted and p.slot = n)
        on conflict do nothing;
    end loop;
    if free is null then
      select greatest(reltuples, 0) into hosts from pg_class where oid = 'holdfast.host'::regclass;
      return jsonb_build_object('refused', 'full', 'scope', wanted, 'hosts', hosts);
    end if;
    found_slots := found_slots || free;
  end loop;
  with taking as (
    update holdfast.pause_slot p
      set holder = taker, agent = identity, hold = taken, fence = nextval('holdfast.pause_fence'),
        taken_at = clock_timestamp(), expiry_ms = expiry
      from unnest(scopes, found_slots) as g(scope, slot) where p.scope = g.scope and p.slot = g.slot
      returning p.scope, p.slot, p.fence
  )
  select jsonb_agg(jsonb_build_object('scope', scope, 'slot', slot, 'fence', fence::text)) into granted from taking;
  return jsonb_build_object('epoch', epoch.id, 'generation', epoch.generation, 'rows', granted);
end
$$;

-- Frees rows whose fence is still the given one. A fence of another epoch may have been given out twice, so it frees
-- nothing.
create or replace function holdfast.pause_free(fences jsonb, in_epoch text, in_generation integer) returns integer
language sql volatile as $$
  with freed as (
    update holdfast.pause_slot p set holder = null, agent = null, hold = null, taken_at = null
      from jsonb_to_recordset(fences) as g(scope text, slot integer, fence bigint)
      where p.scope = g.scope and p.slot = g.slot and p.fence = g.fence and p.holder is not null
        and exists (select from holdfast.pause_epoch e where e.id = in_epoch and e.generation = in_generation
          and e.id = holdfast.pause_epoch_now())
      returning 1
  )
  select count(*)::integer from freed
$$;

-- An agent has seen a later fence or generation: the database was rolled back. Until somebody has watched, and stores
-- the epoch again, nothing is granted.
create or replace function holdfast.pause_doubt(seen_generation integer) returns void
language sql volatile as $$
  update holdfast.pause_epoch
    set id = 'doubted ' || holdfast.pause_epoch_now(), generation = greatest(generation, seen_generation) + 1
$$;

-- Results open the breaker by themselves, in the statement that delivers them. Those of the day before yesterday, which
-- a ledger sends again, open none. Lost leases count since the breaker was closed last: more than one in a hundred of
-- the last thousand results, and at least three.
create index if not exists result_when on holdfast.result using brin (delivered_at);
create index if not exists result_lost on holdfast.result (service, delivered_at) where failure = 'LEASE_LOST';
create or replace function holdfast.break_by_results() returns trigger
language plpgsql as $$
declare
  one record;
  closed timestamptz;
  since timestamptz;
  held bigint;
begin
  -- A person may have stopped the pauses for another reason. Harm must be seen all the same.
  insert into holdfast.breaker as standing (scope, reason, by)
    select distinct on (1) case when failure = 'RESUME_FAILED' then 'service:' || service else 'fleet' end,
        failure || ' of tenant ' || tenant || ' on ' || host, 'holdfast'
      from fresh
      where failure in ('LOCK_NOT_HONOURED', 'HARM_SUSPECTED', 'RESUME_FAILED')
        and checked_at > now() - interval '1 day'
      on conflict (scope) do update set since = now(), by = excluded.by,
        reason = excluded.reason || '; pauses were stopped before by ' || standing.by || ': ' || standing.reason
        where standing.by not in ('holdfast', 'coordinator');
  for one in
    select distinct service from fresh where failure = 'LEASE_LOST' and checked_at > now() - interval '1 day'
  loop
    continue when exists (select from holdfast.breaker b where b.scope = 'service:' || one.service);
    select c.at into closed from holdfast.breaker_closed c where c.scope = 'service:' || one.service;
    for lost in 3..10 loop
      select r.delivered_at into since from holdfast.result r
        where r.service = one.service and r.failure = 'LEASE_LOST'
          and r.delivered_at > greatest(closed, now() - interval '7 days')
        order by r.delivered_at desc offset lost - 1 limit 1;
      exit when not found;
      select count(*) into held from (
        select from holdfast.result r
          where r.service = one.service and r.delivered_at >= since and r.week > current_date - 21 limit 1000
      ) as counted;
      continue when lost * 100 <= held;
      insert into holdfast.breaker(scope, reason, by)
        values ('service:' || one.service, 'LEASE_LOST in ' || lost || ' of the last ' || held || ' results',
          'holdfast')
        on conflict do nothing;
      exit;
    end loop;
  end loop;
  return null;
end
$$;
create or replace trigger result_breaks after insert on holdfast.result
  referencing new table as fresh for each statement execute function holdfast.break_by_results();
`
