import type { TenantId } from '../../model/brand.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { Chunk } from '../jobs/chunk.ts'
import { doneKey } from './done-key.ts'

/** Files of a chunk that have a result in the database, in the form of `doneKey`. @throws {Failure} FLEET_* */
export async function storedFiles(
  database: FleetDatabase,
  host: string,
  { week, run, tenants }: Pick<Chunk, 'week' | 'run' | 'tenants'>,
): Promise<ReadonlySet<string>> {
  const { rows } = await database.query<{ readonly tenant: TenantId; readonly path: string }>(
    `select distinct tenant, path from holdfast.result
     where (week, run, host) = ($1::date, $2, $3) and tenant = any($4)`,
    [week, run, host, [...tenants]],
  )
  return new Set(rows.map(({ tenant, path }) => doneKey(tenant, path)))
}
