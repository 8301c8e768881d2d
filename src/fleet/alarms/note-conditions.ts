/**
 * Notes what the people of the fleet must be told, from what its tables say now. Conditions are tenants that are not
 * sound or may stand still, pauses that were stopped, hosts that are silent, clocks that differ. It also notes what is
 * over. Each statement can be repeated without harm.
 */
import type { FleetDatabase } from '../database/database.ts'

export interface CoordinatorFacts {
  /** Hosts that were not seen for long. */
  readonly silent: readonly string[]
  /** True while a sweep or a triage works: it may still read what it could not read at first. */
  readonly isRunOpen: boolean
}

/** @throws {Failure} FLEET_* */
export async function noteConditions(database: FleetDatabase, { silent, isRunOpen }: CoordinatorFacts): Promise<void> {
  await database.query(notSound, [isRunOpen ? ['damaged'] : ['damaged', 'inconclusive', 'failed']])
  if (!isRunOpen) await database.query(unreadAgain)
  await database.query(paused)
  await database.query(stoppedPauses)
  await database.query(silentHosts, [[...silent]])
  await database.query(skewedClocks, [skewMsMax])
  await database.query(overPlaces)
  await database.query(overHosts, [skewMsMax])
  await database.query(overPauses)
  await database.query(overClaims)
}

/** Two clocks that differ by more are worth a person's time: they make ages in reports wrong. */
const skewMsMax = 60_000

/** How a condition of a place names it. */
const placeSubject = 'json_build_array(place.host, place.service, place.tenant, place.path)::text'

const placeSince = `coalesce(extract(epoch from sound_at)::text, 'never')`

/** As long as a file is not sound it has the same last sound check, so its damage is told once. */
const notSound = `
insert into holdfast.told (kind, subject, since, body)
select case verdict when 'damaged' then 'damaged' else 'inconclusive' end, ${placeSubject},
  ${placeSince},
  jsonb_build_object('severity', case verdict when 'damaged' then 'damaged' else 'inconclusive' end, 'over', null,
    'service', service, 'host', host, 'tenant', tenant, 'path', path, 'verdict', verdict, 'damage', damage,
    'text', null, 'command', null)
from holdfast.place
where verdict <> 'sound' and verdict = any($1) and gone_at is null
on conflict do nothing`

/**
 * A quick check ends such a condition, and does not change the time of the last sound check. So the same condition may
 * come back with the same key, and people must hear of it.
 */
const unreadAgain = `
with again as (
  update holdfast.told as known set over_at = null, sent_at = null, batch = null, sender = null, sends = 0,
    inserted_at = now(), body = known.body || jsonb_build_object('verdict', place.verdict)
  from holdfast.place
  where place.verdict <> 'sound' and place.verdict in ('inconclusive', 'failed') and place.gone_at is null
    and known.kind = 'inconclusive' and known.subject = ${placeSubject} and known.since = ${placeSince}
    and known.over_at is not null and exists (
      select from holdfast.told as ended
      where ended.kind = 'recovered' and ended.subject = known.kind || ' ' || known.subject
        and ended.since = known.since
    )
  returning known.*
)
delete from holdfast.told as ended using again
where ended.kind = 'recovered' and ended.subject = again.kind || ' ' || again.subject and ended.since = again.since`

/** Each attempt that left a tenant in doubt is told, because each is another pause. */
const paused = `
insert into holdfast.told (kind, subject, since, body)
select 'paused', json_build_array(host, service, tenant)::text, run || '/' || max(attempt),
  jsonb_build_object('severity', 'paused', 'over', null, 'service', service, 'host', host, 'tenant', tenant,
    'path', min(path), 'verdict', null, 'damage', null,
    'text', 'It was not seen serving after its check: it may be paused. Type \`holdfast resume --all\` on its host.',
    'command', null)
from holdfast.result
where failure = 'RESUME_FAILED' and checked_at > now() - interval '7 days'
group by host, service, tenant, run
on conflict do nothing`

/** Not those that a person has stopped: that person knows it. */
const stoppedPauses = `
insert into holdfast.told (kind, subject, since, body)
select 'breaker', scope, extract(epoch from since)::text,
  jsonb_build_object('severity', 'harm', 'over', null, 'service',
    case when scope like 'service:%' then substr(scope, 9) end, 'host', null, 'tenant', null, 'path', null,
    'verdict', null, 'damage', null,
    'text', 'No tenant is paused any more (' || scope || '): ' || reason
      || '. Only a person can end that: \`holdfast fleet status\` names the command.',
    'command', 'holdfast fleet status')
from holdfast.breaker where by in ('holdfast', 'coordinator')
on conflict do nothing`

const aboutHost = (severity: string, text: string): string =>
  `jsonb_build_object('severity', '${severity}', 'over', null, 'service', null, 'host', name, 'tenant', null,
    'path', null, 'verdict', null, 'damage', null, 'text', ${text}, 'command', 'holdfast fleet agents')`

const silentHosts = `
insert into holdfast.told (kind, subject, since, body)
select 'silent-host', name, extract(epoch from seen_at)::text,
  ${aboutHost('stale', `'The host ' || name || ' is silent: its agent does not report, and checks no tenant.'`)}
from holdfast.host where name = any($1)
on conflict do nothing`

const skewedClocks = `
insert into holdfast.told (kind, subject, since, body)
select 'clock-skew', name, extract(epoch from started_at)::text,
  ${aboutHost(
    'stale',
    `'The clock of the host ' || name || ' differs from the clock of the database by ' || ` +
      `abs(clock_skew_ms) / 1000 || ' s. No limit rests on it, but ages in reports may be wrong.'`,
  )}
from holdfast.host where abs(clock_skew_ms) > $1
on conflict do nothing`

/** A recovery is told only if an alarm about the condition was sent. */
const recoveries = `
insert into holdfast.told (kind, subject, since, body)
select 'recovered', kind || ' ' || subject, since,
  body || jsonb_build_object('severity', 'recovered', 'over', body ->> 'severity', 'text', null, 'command', null)
from ended where sent_at is not null and recovered
on conflict do nothing`

/**
 * A file that is gone, or known to be damaged instead of unread, is no recovery. The columns of the place are compared
 * one by one, so that its index is used: this is done every few seconds.
 */
const overPlaces = `
with ended as (
  update holdfast.told as known set over_at = now()
  from holdfast.place
  where over_at is null and known.kind in ('damaged', 'inconclusive')
    and (place.host, place.service, place.tenant, place.path) =
      (known.body ->> 'host', known.body ->> 'service', known.body ->> 'tenant', known.body ->> 'path')
    and (place.verdict = 'sound' or place.gone_at is not null
      or (known.kind = 'inconclusive' and place.verdict = 'damaged'))
  returning known.*, place.verdict = 'sound' as recovered
)
${recoveries}`

/** Also over for a host that a person has removed from the fleet. */
const overHosts = `
with ended as (
  update holdfast.told as known set over_at = now()
  where over_at is null and kind in ('silent-host', 'clock-skew') and not exists (
    select from holdfast.host
    where name = known.subject and case known.kind
      when 'silent-host' then extract(epoch from seen_at)::text = known.since
      else abs(clock_skew_ms) > $1 end
  )
  returning known.*, true as recovered
)
${recoveries}`

/** The machine that was refused does not say that it has given up, so nobody is told that this is over. */
const overClaims = `
update holdfast.told set over_at = now()
where over_at is null and kind = 'host-taken' and inserted_at < now() - interval '1 day'`

const overPauses = `
with ended as (
  update holdfast.told as known set over_at = now()
  where over_at is null and (
    (kind = 'breaker' and not exists (
      select from holdfast.breaker
      where scope = known.subject and extract(epoch from breaker.since)::text = known.since
    ))
    or (kind = 'paused' and exists (
      select from holdfast.place
      where (host, service, tenant) = (known.body ->> 'host', known.body ->> 'service', known.body ->> 'tenant')
        and verdict in ('sound', 'damaged') and checked_at > known.inserted_at
    ))
  )
  returning known.*, true as recovered
)
${recoveries}`
