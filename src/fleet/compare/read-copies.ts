/** Reads what the database of the fleet has of the copies of a tenant. Reads rows only. */

import { Failure } from '../../model/failure.ts'
import type { FleetDatabase } from '../database/database.ts'
import { basisIn, type StoredCopy, type StoredTable } from './stored-copy.ts'

/** More copies of a file than this are not compared. */
const copiesMax = 100
/** As many as a delivery stores of a file. */
const tablesMax = 1000
/** Letters of a name or a path. Names come from databases of tenants. */
const lettersMax = 4096

interface CopyRow {
  readonly host: string
  readonly service: string
  readonly path: string
  readonly verdict: string | null
}

interface ContentRow {
  readonly host: string
  readonly service: string
  readonly path: string
  readonly name: string
  readonly rows: number | null
  readonly digest: string | null
  readonly facts: string | null
  readonly run: string
  /** Of the newest check; a table that it did not find any more has an older one. */
  readonly newest: string
  readonly checked_at: Date
}

export interface StoredCopies {
  readonly copies: readonly StoredCopy[]
  /** True if there are more than were read. */
  readonly more: boolean
}

/**
 * @param services those whose copies are compared; null for the only one that has the tenant
 * @throws {Failure} TENANT_UNKNOWN, USAGE if several services have a tenant of this id, and as the database
 */
export async function readCopies(
  database: FleetDatabase,
  tenant: string,
  services: readonly string[] | null,
): Promise<StoredCopies> {
  const places = await database.query<CopyRow>(
    `select host, service, left(path, ${lettersMax}) as path, verdict from holdfast.place
     where tenant = $1 and gone_at is null and ($2::text[] is null or service = any($2::text[]))
     order by service, host, path limit ${copiesMax + 1}`,
    [tenant, services],
  )
  requireKnown(places.rows, tenant, services)
  const named = places.rows.slice(0, copiesMax)
  const contents = await readContents(database, tenant, [...new Set(named.map(({ service }) => service))])
  return {
    copies: named.map((place) => ({ ...place, digests: digestsOf(contents.get(keyOf(place)) ?? []) })),
    more: places.rows.length > copiesMax,
  }
}

function requireKnown(places: readonly CopyRow[], tenant: string, services: readonly string[] | null): void {
  const found = [...new Set(places.map(({ service }) => service))]
  if (found.length === 0)
    throw new Failure(
      'TENANT_UNKNOWN',
      `no host of the fleet has a tenant ${JSON.stringify(tenant)}${inOf(services)}`,
      { hint: 'each agent tells the fleet which tenants it has; `holdfast fleet agents` lists the agents' },
    )
  if (services === null && found.length > 1)
    throw new Failure('USAGE', `several services have a tenant ${JSON.stringify(tenant)}: ${found.join(', ')}`, {
      hint: `name those that have copies of one tenant, such as --service ${found[0] ?? ''}`,
    })
}

const inOf = (services: readonly string[] | null): string => (services === null ? '' : ` in ${services.join(', ')}`)

async function readContents(
  database: FleetDatabase,
  tenant: string,
  services: readonly string[],
): Promise<ReadonlyMap<string, readonly ContentRow[]>> {
  const { rows } = await database.query<ContentRow>(
    `select host, service, left(path, ${lettersMax}) as path, left(table_name, ${lettersMax}) as name,
       rows, left(digest, 100) as digest, left(facts::text, ${lettersMax}) as facts, run,
       first_value(run) over newest_first as newest, checked_at
     from holdfast.content where service = any($2::text[]) and tenant = $1
     window newest_first as (partition by host, service, path order by checked_at desc, run desc)
     order by host, service, path, table_name limit ${copiesMax * tablesMax}`,
    [tenant, services],
  )
  return Map.groupBy(rows, keyOf)
}

/** Of the newest check alone. */
function digestsOf(rows: readonly ContentRow[]): StoredCopy['digests'] {
  const newest = rows.filter(({ run, newest: last }) => run === last)
  const [first] = newest
  if (first === undefined) return null
  return {
    madeAt: Math.max(...newest.map(({ checked_at: at }) => at.getTime())),
    basis: basisIn(first.facts),
    tables: newest.map(({ name, rows: total, digest }): StoredTable => ({ name, rows: total, digest })),
  }
}

const keyOf = ({ host, service, path }: CopyRow | ContentRow): string => JSON.stringify([host, service, path])
