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

/** The newest first. */
const weeks = `
select substring(relname from '^result_([0-9]{8})$') as week
from pg_inherits join pg_class on pg_class.oid = inhrelid
where inhparent = 'holdfast.result'::regclass and relname ~ '^result_[0-9]{8}$'
order by 1 desc`
