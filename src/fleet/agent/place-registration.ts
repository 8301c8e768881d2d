/**
 * Where the tenants of this host live. The service's list is the truth (I3.1): what it does not list any more is marked
 * as gone, and keeps its last result. A host has one service: if that was renamed, the files under the old name are
 * marked as gone, too.
 */

import { readFile, stat } from 'node:fs/promises'
import { startDeadline } from '../../host/clock.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { deviceName, mountOf, parseMountInfo } from '../../host/files/file-system.ts'
import type { RegisteredTenant, Service } from '../../service/port.ts'
import { count } from '../../text/count.ts'
import type { FleetDatabase } from '../database/database.ts'
import { storableText } from '../results/storable-text.ts'
import { storedPath } from '../results/stored-path.ts'

export interface PlaceTerms {
  readonly database: FleetDatabase
  readonly host: string
  /** Its name in the configuration. */
  readonly service: string
}

interface Place {
  readonly tenant: string
  readonly path: string
  readonly dev: string | null
  readonly ino: string | null
  readonly fs: string | null
}

const batchMax = 1_000
/** A call that hangs, as on a dead mount, blocks one of the few threads of the pool. */
const parallelCalls = 2
const inspectMsMax = 60_000

/**
 * Lists the tenants, and stores where each of their files is.
 * @returns a sentence if something keeps the list from being whole; null if it is
 * @throws {Failure} ADMIN_UNREACHABLE and the like; FLEET_*
 */
export async function registerOwnPlaces(
  terms: PlaceTerms,
  service: Pick<Service, 'tenants' | 'leftOut'>,
  signal: AbortSignal,
): Promise<string | null> {
  const { database, host, service: name } = terms
  const tenants = await service.tenants(signal)
  const places = await inspect(tenants, signal)
  for (let first = 0; first < places.length; first += batchMax)
    await database.query(storeStatement, [textOf(places.slice(first, first + batchMax)), host, name])
  const { unsearched } = service.leftOut
  if (unsearched.length > 0)
    return `${count(unsearched.length, 'place')} of the service could not be searched, so no tenant was marked as gone`
  if (places.length === 0) return 'the service lists no file, so no tenant was marked as gone'
  await database.query(goneStatement, [textOf(places.map(({ tenant, path }) => ({ tenant, path }))), host, name])
  return null
}

const textOf = (rows: readonly Pick<Place, 'path'>[]): string =>
  storableText(JSON.stringify(rows.map((row) => ({ ...row, path: storedPath(row.path) }))))

/** Only rows that change are written: most registrations change nothing. */
const storeStatement = `
insert into holdfast.place as known (host, service, tenant, path, dev, ino, fs)
select distinct on (tenant, path) $2::text, $3::text, tenant, path, dev, ino, fs
from jsonb_to_recordset($1::jsonb) as listed(tenant text, path text, dev text, ino text, fs text)
on conflict (host, service, tenant, path) do update
  set dev = excluded.dev, ino = excluded.ino, fs = excluded.fs, gone_at = null, registered_at = clock_timestamp()
where (known.dev, known.ino, known.fs) is distinct from (excluded.dev, excluded.ino, excluded.fs)
  or known.gone_at is not null`

const goneStatement = `
with listed as materialized (select tenant, path from jsonb_to_recordset($1::jsonb) as one(tenant text, path text))
update holdfast.place as known set gone_at = clock_timestamp()
where host = $2 and gone_at is null and (service <> $3
  or not exists (select from listed where (listed.tenant, listed.path) = (known.tenant, known.path)))`

/** What cannot be inspected is registered without device and inode. */
async function inspect(tenants: readonly RegisteredTenant[], signal: AbortSignal): Promise<readonly Place[]> {
  using deadline = startDeadline(inspectMsMax)
  const over = AbortSignal.any([signal, deadline.signal])
  const files = tenants.flatMap(({ id, files }) => [...new Set(files)].map((path) => ({ tenant: id as string, path })))
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  const places: Place[] = []
  for (let at = 0; at < files.length; at += parallelCalls)
    places.push(...(await Promise.all(files.slice(at, at + parallelCalls).map((file) => placeOf(file)))))
  signal.throwIfAborted()
  return places

  async function placeOf(file: { readonly tenant: string; readonly path: string }): Promise<Place> {
    const found = over.aborted ? null : await orNullAt(over, stat(onDisk(file.path), { bigint: true }))
    if (found === null) return { ...file, dev: null, ino: null, fs: null }
    const { type } = mountOf(file.path, deviceName(found.dev), mounts)
    return { ...file, dev: String(found.dev), ino: String(found.ino), fs: type }
  }
}

/** null for a call that fails, or does not end in time. */
function orNullAt<Value>(over: AbortSignal, call: Promise<Value>): Promise<Value | null> {
  return new Promise((resolve) => {
    const late = (): void => resolve(null)
    over.addEventListener('abort', late, { once: true })
    call.then(resolve, late).finally(() => over.removeEventListener('abort', late))
  })
}
