/**
 * The statement that delivers a batch of results. It is one statement, so all of it happens or nothing does. The log
 * takes each result once. Whatever else a result changes is changed from the rows that were new to the log, and so once
 * too. That is the last result of its place, what is known of its tables, and the counts of its run. Damage is over
 * when a full check has found the file sound, and not by a check that read less.
 *
 * The last result is that of the newest run. Only runs that work at the same time, as a triage does within a sweep, go
 * by the time of the check. The sweep began first, and may check a file last. A time that is in the future says
 * nothing, as that of a host whose clock was set back.
 *
 * `$1`: the batch as JSON. `$2`: the host. `$3`: the service. `$4`: the clock of the host, in ms since 1970. The age
 * of a result is reckoned by that clock, and the time of the check by the age and the clock of the database.
 */
export const deliverStatement = `
with sent as materialized (
  select week, run, tenant, path, attempt, verdict, damage, failure, settles, report, content,
    least(statement_timestamp(), statement_timestamp() - make_interval(secs => ($4::numeric - "checkedAt") / 1000))
      as checked_at
  from jsonb_to_recordset($1::jsonb) as batch(week date, run text, tenant text, path text, attempt integer,
    verdict text, damage text, failure text, settles boolean, "checkedAt" numeric, report jsonb, content jsonb)
),
logged as (
  insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, damage, failure, checked_at,
    report)
  select week, run, $2::text, $3::text, tenant, path, attempt, verdict, damage, failure, checked_at,
    nullif(report, 'null'::jsonb)
  from sent
  on conflict do nothing
  returning week, run, tenant, path, attempt
),
fresh as materialized (
  select sent.* from sent join logged using (week, run, tenant, path, attempt)
),
working as (
  select id from holdfast.run where state in ('feeding', 'fed')
),
ranked as materialized (
  select fresh.*, case when id is not null then max(checked_at) over (partition by tenant, path, run) end as run_at
  from fresh left join working on id = run
),
newest as materialized (
  select distinct on (tenant, path) * from ranked where path <> ''
  order by tenant, path, run_at desc nulls last, run collate "C" desc, attempt desc
),
settled as (
  select distinct on (tenant, path) tenant, path, verdict, damage from ranked where settles
  order by tenant, path, run_at desc nulls last, run collate "C" desc, attempt desc
),
sound as (
  select tenant, path, max(checked_at) as sound_at from fresh where settles and verdict = 'sound' group by tenant, path
),
judged as materialized (
  select newest.run, newest.tenant, newest.path, newest.attempt, newest.checked_at, newest.content, sound.sound_at,
    newest.verdict in ('sound', 'damaged') as was_read,
    case when keeps then 'damaged' else newest.verdict end as verdict,
    case when keeps then coalesce(settled.damage, known.damage) else newest.damage end as damage
  from newest
    left join settled using (tenant, path)
    left join sound using (tenant, path)
    left join holdfast.place as known
      on (known.host, known.service, known.tenant, known.path) = ($2, $3, newest.tenant, newest.path)
    cross join lateral (
      select not newest.settles and coalesce(settled.verdict, known.verdict) is not distinct from 'damaged' as keeps
    ) as damage
),
placed as (
  insert into holdfast.place as known (host, service, tenant, path, verdict, damage, checked_at, sound_at, run, attempt)
  select $2, $3, tenant, path, verdict, damage, checked_at, sound_at, run, attempt from judged
  on conflict (host, service, tenant, path) do update set verdict = excluded.verdict, damage = excluded.damage,
    checked_at = excluded.checked_at, sound_at = greatest(known.sound_at, excluded.sound_at), run = excluded.run,
    attempt = excluded.attempt
  where known.run is null or (known.run collate "C", known.attempt) < (excluded.run collate "C", excluded.attempt)
    or (known.run <> excluded.run and known.checked_at < excluded.checked_at
      and excluded.checked_at < statement_timestamp() and excluded.run in (select id from working))
  returning tenant, path
),
tabled as materialized (
  select run, tenant, path, checked_at, content
  from judged join placed using (tenant, path) where jsonb_typeof(content) = 'array' and was_read
),
dropped as (
  delete from holdfast.content as known using tabled
  where (known.host, known.service, known.tenant, known.path) = ($2, $3, tabled.tenant, tabled.path)
    and not exists (
      select from jsonb_array_elements(tabled.content) as one where one ->> 'name' = known.table_name
    )
),
described as (
  insert into holdfast.content (host, service, tenant, path, table_name, rows, digest, facts, run, checked_at)
  select distinct on (tenant, path, one ->> 'name') $2, $3, tenant, path, one ->> 'name', (one ->> 'rows')::bigint,
    one ->> 'digest', one - 'name' - 'rows' - 'digest', run, checked_at
  from tabled, jsonb_array_elements(content) as one
  on conflict (host, service, tenant, path, table_name) do update set rows = excluded.rows, digest = excluded.digest,
    facts = excluded.facts, run = excluded.run, checked_at = excluded.checked_at
),
latest as (
  select distinct on (week, run, tenant, path) week, run, tenant, path, attempt, verdict from fresh
  order by week, run, tenant, path, attempt desc
),
changed as (
  select latest.run, latest.verdict, earlier.verdict as before
  from latest left join lateral (
    select verdict, attempt from holdfast.result as known
    where (known.week, known.run, known.host, known.tenant, known.path)
      = (latest.week, latest.run, $2, latest.tenant, latest.path)
    order by known.attempt desc limit 1
  ) as earlier on true
  where earlier.attempt is null or earlier.attempt < latest.attempt
),
counted as (
  insert into holdfast.run_host as known (run, host, done, sound, damaged, inconclusive, failed)
  select run, $2, count(*) filter (where before is null),
    count(*) filter (where verdict = 'sound') - count(*) filter (where before = 'sound'),
    count(*) filter (where verdict = 'damaged') - count(*) filter (where before = 'damaged'),
    count(*) filter (where verdict = 'inconclusive') - count(*) filter (where before = 'inconclusive'),
    count(*) filter (where verdict = 'failed') - count(*) filter (where before = 'failed')
  from changed group by run
  on conflict (run, host) do update set done = known.done + excluded.done, sound = known.sound + excluded.sound,
    damaged = known.damaged + excluded.damaged, inconclusive = known.inconclusive + excluded.inconclusive,
    failed = known.failed + excluded.failed
)
select count(*)::integer as stored from fresh`
