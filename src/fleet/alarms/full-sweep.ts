/**
 * Claims a sweep of the whole fleet that reached every file at full depth, damaged or not, for the heartbeats of
 * `alerts`. Each such sweep is claimed once, by one coordinator. If that one is killed before it asks, the heartbeat
 * stays away, and its monitor says so.
 */
import type { FleetDatabase } from '../database/database.ts'

/** @returns true if there is one that no coordinator has claimed @throws {Failure} FLEET_* */
export async function claimFullSweep(database: FleetDatabase): Promise<boolean> {
  const { rowCount } = await database.query(statement, [settleSeconds])
  return rowCount > 0
}

/** By then the conditions of a sweep that has ended were noted. */
const settleSeconds = 30

/** While an alarm was not taken, the heartbeat stays away: then its absence is the alarm. */
const statement = `
insert into holdfast.told (kind, subject, since, body, sent_at, over_at)
select 'whole-sweep', id, id, '{}', now(), now()
from holdfast.run
where kind = 'sweep' and state = 'done'
  and ended_at between now() - interval '1 day' and now() - make_interval(secs => $1)
  and policy ->> 'depth' = 'full' and policy ->> 'hosts' is null and policy ->> 'service' is null
  and total > 0 and not exists (select from holdfast.run_host where run = run.id and done < run_host.total)
  and exists (select from holdfast.run_host where run = run.id and sound + damaged > 0)
  and not exists (select from holdfast.result where failure = 'FLEET_CHUNK_FAILED' and result.run = run.id)
  and not exists (
    select from holdfast.told
    where sent_at is null and (over_at is null or batch is not null) and inserted_at > now() - interval '7 days'
  )
on conflict do nothing
returning subject`
