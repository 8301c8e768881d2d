/**
 * Reads what the status of a fleet says. It counts all files in one pass over `holdfast.place`, and has no table of
 * sums: src/fleet/README.md says how long that takes. Text of the database is untrusted, and reports make it printable.
 */

import type { DamageClass } from '../../model/result/finding.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import type { FleetDatabase } from '../database/database.ts'
import type {
  FleetCoordinator,
  FleetCounts,
  FleetFacts,
  FleetFile,
  HostFacts,
  FleetRun,
  FleetShare,
  FleetSlot,
  OpenBreaker,
} from './fleet-facts.ts'

/** No more files that are not sound are listed; all are counted. */
const listedFilesMax = 1000
/** Of each service, of the files that were not found sound for the longest time. */
const oldestListedMax = 3
const runsMax = 50
const coordinatorsMax = 20

/** @param maxAgeMs a file that was not found sound for longer is stale */
export async function readFleetFacts(database: FleetDatabase, maxAgeMs: number): Promise<FleetFacts> {
  const at = await readClock(database)
  const since = at - maxAgeMs
  const [shares, hosts] = await Promise.all([readShares(database, since), readHosts(database)])
  const services = new Set(shares.filter(({ stale }) => stale > 0).map(({ service }) => service))
  return {
    at,
    hosts,
    shares,
    files: await readFiles(database),
    oldest: await readOldest(database, [...services], since),
    runs: await readRuns(database, runsMax),
    slots: await readSlots(database),
    breakers: await readBreakers(database),
    isResting: await readResting(database),
    coordinators: await readCoordinators(database),
  }
}

/** The agents with what their hosts have, as `readFleetFacts` has them. */
export async function readAgents(
  database: FleetDatabase,
  maxAgeMs: number,
): Promise<Pick<FleetFacts, 'at' | 'hosts' | 'shares'>> {
  const at = await readClock(database)
  return { at, hosts: await readHosts(database), shares: await readShares(database, at - maxAgeMs) }
}

/** All ages count by this clock, because those of the hosts may be wrong. */
async function readClock(database: FleetDatabase): Promise<number> {
  const { rows } = await database.query<{ at: number }>(`select ${ms('clock_timestamp()')} as at`)
  return Number(rows[0]?.at)
}

/** A time as ms since 1970, without the loss of a text. */
const ms = (time: string): string => `floor(extract(epoch from ${time}) * 1000)::float8`
/** Drivers give a bigint as text. */
const number = (column: string): string => `${column}::float8 as ${column}`

export async function readHosts(database: FleetDatabase): Promise<readonly HostFacts[]> {
  const { rows } = await database.query<HostFacts>(`
    select name, domain, version, ${ms('started_at')} as "startedAt", ${ms('seen_at')} as "seenAt",
      outbox_rows::float8 as "outboxRows", outbox_bytes::float8 as "outboxBytes",
      clock_skew_ms::float8 as "clockSkewMs", said
    from holdfast.host order by name`)
  return rows
}

type ShareRow = FleetCounts & Omit<FleetShare, 'counts'>

/** One pass over all files: the most that a status costs. */
async function readShares(database: FleetDatabase, since: number): Promise<readonly FleetShare[]> {
  const withVerdict = (verdict: string): string =>
    `(count(*) filter (where verdict = '${verdict}'))::float8 as ${verdict}`
  const { rows } = await database.query<ShareRow>(
    `
    select host, service, ${(['sound', 'damaged', 'inconclusive', 'failed'] as const).map(withVerdict).join(', ')},
      (count(*) filter (where verdict is null))::float8 as never,
      (count(*) filter (where ${stale('$1')} and verdict is distinct from 'damaged'))::float8 as stale,
      case when count(*) = count(sound_at) then ${ms('min(sound_at)')} end as "oldestSoundAt"
    from holdfast.place where gone_at is null group by host, service order by host, service`,
    [since],
  )
  return rows.map(({ host, service, stale, oldestSoundAt, ...counts }) => ({
    host,
    service,
    counts,
    stale,
    oldestSoundAt,
  }))
}

const stale = (since: string): string => `(sound_at is null or sound_at < to_timestamp(${since}::float8 / 1000))`

const fileColumns = `
  p.host, p.service, p.tenant, p.path, p.verdict, coalesce(p.damage, 'none') as damage,
  ${ms('p.checked_at')} as "checkedAt", ${ms('p.sound_at')} as "soundAt", p.run`

interface FileRow extends Omit<FleetFile, 'verdict' | 'damage'> {
  readonly verdict: string | null
  readonly damage: string
}

/** The failure is in the log of results, which is searched for the few files that are listed. */
async function readFiles(database: FleetDatabase): Promise<readonly FleetFile[]> {
  const { rows } = await database.query<FileRow>(
    `
    with p as (
      select * from holdfast.place
      where gone_at is null and verdict <> 'sound'
      order by array_position(array['damaged', 'failed', 'inconclusive'], verdict), service, tenant, host, path
      limit $1
    )
    select ${fileColumns}, (
      select r.failure from holdfast.result r
      where r.service = p.service and r.tenant = p.tenant and r.checked_at = p.checked_at
        and r.host = p.host and r.path = p.path and r.run = p.run
      limit 1
    ) as failure
    from p`,
    [listedFilesMax],
  )
  return rows.map(asFile)
}

/** The index on age has them first, so none of the other files is read. */
async function readOldest(
  database: FleetDatabase,
  services: readonly string[],
  since: number,
): Promise<readonly FleetFile[]> {
  if (services.length === 0) return []
  const { rows } = await database.query<FileRow>(
    `
    select ${fileColumns}, null as failure
    from unnest($1::text[]) as s(name)
    cross join lateral (
      select * from holdfast.place
      where service = s.name and gone_at is null and ${stale('$2')} and verdict is distinct from 'damaged'
      order by sound_at nulls first limit ${oldestListedMax}
    ) p`,
    [services, since],
  )
  return rows.map(asFile)
}

/** The database may hold words that this version does not know. */
const asFile = ({ verdict, damage, ...file }: FileRow): FleetFile => ({
  ...file,
  verdict: verdict as VerdictWord | null,
  damage: damage as DamageClass,
})

/**
 * The newest first. No more of a host counts as done than it had to do. One that was removed meanwhile and came back
 * (`remove-host.ts`) must not stand for what another one has left.
 */
export async function readRuns(database: FleetDatabase, max: number): Promise<readonly FleetRun[]> {
  const sums = ['sound', 'damaged', 'inconclusive', 'failed'] as const
  const { rows } = await database.query<FleetRun>(
    `
    select r.id, r.kind, r.state, ${ms('r.begun_at')} as "begunAt", ${ms('r.ended_at')} as "endedAt", r.said,
      r.kind = 'sweep' and r.policy->>'depth' = 'full' and r.policy->>'hosts' is null
        and r.policy->>'service' is null as "isWhole",
      ${number('total')}, coalesce(h.done, 0)::float8 as done,
      ${sums.map((name) => `coalesce(h.${name}, 0)::float8 as ${name}`).join(', ')}
    from (select * from holdfast.run order by id desc limit $1) r
    left join lateral (
      select sum(case when planned then least(done, total) else done end) as done,
        ${sums.map((name) => `sum(${name}) as ${name}`).join(', ')}
      from holdfast.run_host where run = r.id
    ) h on true
    order by r.id desc`,
    [max],
  )
  return rows
}

async function readSlots(database: FleetDatabase): Promise<readonly FleetSlot[]> {
  const { rows } = await database.query<FleetSlot>(`
    select scope, slot, holder, ${ms('taken_at')} as "takenAt", expiry_ms as "expiryMs"
    from holdfast.pause_slot order by scope, slot`)
  return rows
}

async function readBreakers(database: FleetDatabase): Promise<readonly OpenBreaker[]> {
  const { rows } = await database.query<OpenBreaker>(`
    select scope, reason, ${ms('since')} as since, by from holdfast.breaker order by scope`)
  return rows
}

/** The row of one that was killed stays for a time. */
async function readCoordinators(database: FleetDatabase): Promise<readonly FleetCoordinator[]> {
  const { rows } = await database.query<FleetCoordinator>(`
    select host, version, ${ms('started_at')} as "startedAt", ${ms('seen_at')} as "seenAt"
    from holdfast.coordinator order by seen_at desc limit ${coordinatorsMax}`)
  return rows
}

async function readResting(database: FleetDatabase): Promise<boolean> {
  const { rowCount } = await database.query(
    'select from holdfast.pause_epoch where id is distinct from holdfast.pause_epoch_now()',
  )
  return rowCount > 0
}
