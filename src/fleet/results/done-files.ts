/** What needs no check again, because outbox or database have its result. */
import type { TenantId } from '../../model/brand.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { Chunk } from '../jobs/chunk.ts'
import { doneKey } from './done-key.ts'
import type { Outbox } from './outbox.ts'

/**
 * Files of a run that need no check again. A database that failed over, or was restored, may have lost results that no
 * outbox has any more, or only the newest of a file. Those files are checked again.
 * @returns files in the form of `doneKey`
 * @throws {Failure} FLEET_*, LEDGER_UNUSABLE
 */
export async function doneFiles(
  database: FleetDatabase,
  outbox: Pick<Outbox, 'doneIn'>,
  host: string,
  { week, run, tenants }: Pick<Chunk, 'week' | 'run' | 'tenants'>,
): Promise<ReadonlySet<string>> {
  const { done, waiting } = outbox.doneIn(run)
  if (done.size === 0) return new Set()
  // The outbox is read first: a result that waits may be stored meanwhile.
  const { rows } = await database.query<{ readonly tenant: TenantId; readonly path: string; readonly attempt: number }>(
    `select tenant, path, max(attempt) as attempt from holdfast.result
     where (week, run, host) = ($1::date, $2, $3) and tenant = any($4) group by tenant, path`,
    [week, run, host, [...tenants]],
  )
  const stored = new Map(rows.map(({ tenant, path, attempt }) => [doneKey(tenant, path), attempt]))
  const isNewestKept = (file: string, attempt: number): boolean =>
    [waiting, stored].some((kept) => attempt <= (kept.get(file) ?? -1))
  return new Set([...done].flatMap(([file, attempt]) => (isNewestKept(file, attempt) ? [file] : [])))
}
