/**
 * Opens the breaker (no pause begins any more, until a person closes it) when results say that holdfast may do harm: a
 * lock that did not hold, harm that one host suspects, a resume that failed, leases that are lost too often, or damage
 * in several hosts at once. Each sign opens it once: when a person has closed it, only a new one opens it again.
 */
import type { FleetDatabase } from '../database/database.ts'

export interface OpenedBreaker {
  readonly scope: string
  readonly reason: string
}

/** @returns what was opened now @throws {Failure} FLEET_* */
export async function openBySigns(database: FleetDatabase): Promise<readonly OpenedBreaker[]> {
  const opened: OpenedBreaker[] = []
  for (const statement of [bySingleResults, byLostLeases, byDamageOnSeveralHosts])
    opened.push(...(await database.query<OpenedBreaker>(statement)).rows)
  return opened
}

/** Inserts what is new of `sign (kind, subject, since, scope, reason, severity, service, host, tenant, path)`. */
const openBySign = `
new as (
  insert into holdfast.told (kind, subject, since, body)
  select kind, subject, since, jsonb_build_object('severity', severity, 'over', null, 'service', service, 'host', host,
    'tenant', tenant, 'path', path, 'verdict', null, 'damage', null,
    'text', reason || '. No tenant is paused any more, until a person closes the breaker.',
    'command', 'holdfast fleet status')
  from sign
  on conflict do nothing
  returning kind, subject, since
)
insert into holdfast.breaker (scope, reason, by)
select distinct on (scope) scope, reason, 'coordinator' from sign join new using (kind, subject, since)
order by scope, since
on conflict do nothing
returning scope, reason`

const bySingleResults = `
with sign as (
  select case failure when 'RESUME_FAILED' then 'paused' else 'harm' end as kind,
    json_build_array(host, service, tenant, path)::text as subject, run || '/' || attempt as since,
    case failure when 'RESUME_FAILED' then 'service:' || service else 'fleet' end as scope,
    case failure
      when 'RESUME_FAILED' then 'a tenant of ' || host || ' may stand still: it was not seen serving after its check'
      when 'LOCK_NOT_HONOURED' then 'a lock did not hold on ' || host
      else host || ' found a file damaged that it had found sound: holdfast may be the cause'
    end as reason,
    case failure when 'RESUME_FAILED' then 'paused' else 'harm' end as severity,
    service, host, tenant, path
  from holdfast.result
  where failure in ('RESUME_FAILED', 'LOCK_NOT_HONOURED', 'HARM_SUSPECTED')
    and not exists (
      select from holdfast.told where kind in ('paused', 'harm')
        and subject = json_build_array(host, service, tenant, path)::text and since = run || '/' || attempt
    )
  order by delivered_at limit 100
),
${openBySign}`

/** More than 1 % of the last 1,000 results, and at least 3. The newest of them is the sign. */
const byLostLeases = `
with last as (
  select failure, service, host, tenant, path, run, attempt, delivered_at
  from holdfast.result order by delivered_at desc limit 1000
),
sign as (
  select 'lost-leases' as kind, service as subject,
    (array_agg(json_build_array(host, tenant, path, run, attempt)::text order by delivered_at desc)
      filter (where failure = 'LEASE_LOST'))[1] as since,
    'service:' || service as scope,
    count(*) filter (where failure = 'LEASE_LOST') || ' of the last ' || count(*) || ' checks of ' || service ||
      ' lost the lease of their pause' as reason,
    'harm' as severity, service, null::text as host, null::text as tenant, null::text as path
  from last group by service
  having count(*) filter (where failure = 'LEASE_LOST') >= 3
    and count(*) filter (where failure = 'LEASE_LOST') > count(*) * 0.01
),
${openBySign}`

/**
 * Files of one service that were sound are damaged in one run: on at least 3 hosts, and more than 1 % of what the run
 * has checked. That is rarely the disks.
 */
const byDamageOnSeveralHosts = `
with open as (select id from holdfast.run where state in ('feeding', 'fed')),
checked as (select run, sum(done) as done from holdfast.run_host join open on open.id = run group by run),
sign as (
  select 'damage-on-hosts' as kind, place.service as subject, place.run as since, 'fleet' as scope,
    count(*) || ' files of ' || place.service || ' on ' || count(distinct place.host) ||
      ' hosts were sound and are damaged in this run: holdfast may be the cause' as reason,
    'harm' as severity, place.service, null::text as host, null::text as tenant, null::text as path
  from holdfast.place join checked using (run)
  where verdict = 'damaged' and verdict <> 'sound' and sound_at is not null and gone_at is null
  group by place.service, place.run, checked.done
  having count(distinct place.host) >= 3 and count(*) > checked.done * 0.01
),
${openBySign}`
