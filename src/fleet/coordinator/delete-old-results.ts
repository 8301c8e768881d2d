/**
 * Drops the oldest results, a week in one step. The number of weeks that exist decides, and no clock: one that is wrong
 * by years must not cost a result. The ledgers of the hosts keep theirs for as long as they are told to.
 */
import type { FleetDatabase } from '../database/database.ts'

export const weeksKept = 13

/** @returns the weeks that were dropped, as `20261123` @throws {Failure} FLEET_* */
export async function dropOldWeeks(database: FleetDatabase): Promise<readonly string[]> {
  const { rows } = await database.query<{ week: string }>(weeks)
  const old = rows.map(({ week }) => week).slice(weeksKept)
  for (const week of old) await database.query(`drop table if exists holdfast.result_${week}`)
  return old
}

/**
 * Forgets files that are gone for as long and of which no result is kept any more: until then `fleet reconcile` names
 * their tenants. @returns how many @throws {Failure} FLEET_*
 */
export async function forgetGoneFiles(database: FleetDatabase): Promise<number> {
  const { rowCount } = await database.query(gone, [weeksKept])
  return rowCount
}

const gone = `
with forgotten as (
  delete from holdfast.place
  where gone_at < now() - make_interval(weeks => $1) and not exists (
    select from holdfast.result where (service, tenant) = (place.service, place.tenant)
      and (host, path) = (place.host, place.path)
  )
  returning host, service, tenant, path
), emptied as (
  delete from holdfast.content using forgotten
  where (content.host, content.service, content.tenant, content.path) =
    (forgotten.host, forgotten.service, forgotten.tenant, forgotten.path)
)
select from forgotten`

/** The newest first. */
const weeks = `
select substring(relname from '^result_([0-9]{8})$') as week
from pg_inherits join pg_class on pg_class.oid = inhrelid
where inhparent = 'holdfast.result'::regclass and relname ~ '^result_[0-9]{8}$'
order by 1 desc`
