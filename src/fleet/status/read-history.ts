/** Reads what the log of results has of one tenant, on all hosts. */

import type { DamageClass } from '../../model/result/finding.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import type { FleetDatabase } from '../database/database.ts'

/** One result of one file; times in ms since 1970 by the clock of the database. */
export interface FleetHistoryEntry {
  readonly host: string
  readonly service: string
  readonly path: string
  readonly run: string
  readonly attempt: number
  readonly verdict: VerdictWord
  readonly damage: DamageClass
  readonly failure: string | null
  readonly checkedAt: number
  readonly deliveredAt: number
}

/**
 * The newest first, one more than `limit` if there are more. The log keeps some weeks.
 * @returns null if the fleet does not know the tenant
 */
export async function readHistory(
  database: FleetDatabase,
  tenant: string,
  limit: number,
): Promise<readonly FleetHistoryEntry[] | null> {
  const services = await readServices(database)
  const { rows } = await database.query<FleetHistoryEntry>(
    `
    select host, service, path, run, attempt, verdict, coalesce(damage, 'none') as damage, failure,
      floor(extract(epoch from checked_at) * 1000)::float8 as "checkedAt",
      floor(extract(epoch from delivered_at) * 1000)::float8 as "deliveredAt"
    from holdfast.result where service = any($1::text[]) and tenant = $2
    order by checked_at desc, host, path, attempt desc limit $3`,
    [services, tenant, limit + 1],
  )
  if (rows.length > 0) return rows
  const { rowCount } = await database.query(
    'select 1 from holdfast.place where service = any($1::text[]) and tenant = $2 limit 1',
    [services, tenant],
  )
  return rowCount === 0 ? null : []
}

/** Each service once. It takes one step in an index for each, where `distinct` would read every file. */
async function readServices(database: FleetDatabase): Promise<readonly string[]> {
  const { rows } = await database.query<{ service: string }>(`
    with recursive known as (
      (select service from holdfast.place order by service limit 1)
      union all
      select (select place.service from holdfast.place where place.service > known.service order by service limit 1)
      from known where known.service is not null
    )
    select service from known where service is not null`)
  return rows.map(({ service }) => service)
}
