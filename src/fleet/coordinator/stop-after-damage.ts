/**
 * Suspects holdfast itself across hosts (I1.8). In one run, files of one service that were sound are damaged: on at
 * least 3 hosts, and more than 1 % of those checked. That is rarely the disks. The breaker is opened: no tenant is
 * paused any more, until a person closes it. One run opens it once. If a person has opened it for another reason, it
 * becomes one of harm.
 */
import type { FleetDatabase } from '../database/database.ts'

/** @returns why pauses were stopped now @throws {Failure} FLEET_* */
export async function stopPausesAfterDamage(database: FleetDatabase): Promise<readonly string[]> {
  const { rows } = await database.query<{ reason: string }>(statement, [hostsMin, shareMin])
  return rows.map(({ reason }) => reason)
}

const hostsMin = 3
const shareMin = 0.01

/** `verdict <> 'sound'` is the condition of an index, so that few rows are read. */
const statement = `
with open as (select id from holdfast.run where state in ('feeding', 'fed')),
checked as (select run, sum(done) as done from holdfast.run_host join open on open.id = run group by run),
sign as (
  select place.service, place.run,
    count(*) || ' files of ' || place.service || ' on ' || count(distinct place.host) ||
      ' hosts were sound and are damaged in run ' || place.run || ': holdfast may be the cause' as reason
  from holdfast.place join checked using (run)
  where verdict <> 'sound' and verdict = 'damaged' and sound_at is not null and gone_at is null
  group by place.service, place.run, checked.done
  having count(distinct place.host) >= $1 and count(*) > checked.done * $2::float8
),
new as (
  insert into holdfast.told (kind, subject, since, body, sent_at)
  select 'damage-on-hosts', service, run, jsonb_build_object('reason', reason), now() from sign
  on conflict do nothing
  returning subject, since
)
insert into holdfast.breaker as standing (scope, reason, by)
select 'fleet', reason, 'coordinator' from sign join new on (subject, since) = (service, run) limit 1
on conflict (scope) do update set since = now(), by = excluded.by,
  reason = excluded.reason || '; pauses were stopped before by ' || standing.by || ': ' || standing.reason
  where standing.by not in ('holdfast', 'coordinator')
returning reason`
