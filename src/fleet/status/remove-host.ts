/**
 * Takes a host out of the fleet that will not come back. Its files are marked as gone and keep their last results. So
 * an agent that comes back all the same registers the host and its files again, and nothing is lost. What unfinished
 * runs still had for it is taken out of them: they end with the hosts that are left.
 */

import type { RunId } from '../../model/brand.ts'
import type { FleetDatabase } from '../database/database.ts'
import { agentMissedMs } from './fleet-facts.ts'

export interface RemovalRequest {
  readonly host: string
  /** The person who asks, as the history names them: `user@host`. */
  readonly by: string
  /** The id under which the history has it. */
  readonly run: RunId
}

export interface RemovedHost {
  readonly host: string
  /** When its agent last reported; null if none ever registered. */
  readonly seenAt: number | null
  readonly tenants: number
  readonly files: number
  /** Files whose newest check found damage. */
  readonly damaged: number
  /** Tenants that no other host has. */
  readonly onNoHost: number
  /** Some of those tenants. */
  readonly listed: readonly { readonly service: string; readonly tenant: string }[]
  /** Results that its agent had at last, and did not deliver. */
  readonly outboxRows: number
  /** Unfinished runs that still had tenants for it. */
  readonly runs: readonly string[]
}

/**
 * `seen`: its agent reported in the last five minutes. `slot`: the host has a slot, so a tenant may be paused there.
 * `unknown`: the fleet has no such host, and no file of it.
 */
export type RemovalAnswer =
  | RemovedHost
  | { readonly refused: 'seen' | 'slot' | 'unknown'; readonly seenAt: number | null }

const listedMax = 1_000

/** One statement: all of it happens, or nothing. @throws {Failure} FLEET_* */
export async function removeHost(database: FleetDatabase, { host, by, run }: RemovalRequest): Promise<RemovalAnswer> {
  const { rows } = await database.query<RemovedHost & { readonly refused: 'seen' | 'slot' | 'unknown' | null }>(
    removal,
    [host, agentMissedMs / 1000, run, by, listedMax],
  )
  const [row] = rows
  if (row === undefined) return { refused: 'unknown', seenAt: null }
  const { refused, ...removed } = row
  return refused === null ? removed : { refused, seenAt: removed.seenAt }
}

const removal = `
with known as materialized (
  select seen_at, outbox_rows from holdfast.host where name = $1 for update
),
verdict as materialized (
  select case
    when exists (select from known where seen_at > clock_timestamp() - make_interval(secs => $2)) then 'seen'
    when exists (select from holdfast.pause_slot where holder = $1) then 'slot'
    when not exists (select from known) and not exists (select from holdfast.place where host = $1 and gone_at is null)
      then 'unknown'
  end as refused
),
leave as materialized (select from verdict where refused is null),
file as materialized (
  select service, tenant, verdict from holdfast.place where host = $1 and gone_at is null and exists (select from leave)
),
tenant as materialized (
  select service, tenant, not exists (
    select from holdfast.place as other
    where (other.service, other.tenant) = (file.service, file.tenant) and other.host <> $1 and other.gone_at is null
  ) as is_lost
  from file group by service, tenant
),
removed as (
  delete from holdfast.host where name = $1 and exists (select from leave)
),
marked as (
  update holdfast.place set gone_at = clock_timestamp()
  where host = $1 and gone_at is null and exists (select from leave)
),
withdrawn as (
  delete from holdfast.chunk where host = $1 and exists (select from leave) returning run
),
short as materialized (
  select share.run, share.total - share.done as missing
  from holdfast.run_host as share join holdfast.run on run.id = share.run
  where share.host = $1 and run.state in ('feeding', 'fed') and share.total > share.done and exists (select from leave)
),
lessened as (
  update holdfast.run_host as share set total = share.done from short where share.run = short.run and share.host = $1
),
summed as (
  update holdfast.run set total = greatest(run.total - missing, 0) from short where run.id = short.run
),
noted as (
  insert into holdfast.run (id, kind, policy, state, ended_at, said)
  select $3, 'removal', jsonb_build_object('host', $1::text, 'by', $4::text), 'done', now(),
    'the host ' || $1 || ' was removed by ' || $4 || '; tenants that it had: ' || (select count(*) from tenant)
      || ', of them on no other host: ' || (select count(*) from tenant where is_lost)
  from leave
)
select refused, (select floor(extract(epoch from seen_at) * 1000)::float8 from known) as "seenAt",
  $1::text as host, (select count(*)::float8 from tenant) as tenants, (select count(*)::float8 from file) as files,
  (select count(*)::float8 from file where verdict = 'damaged') as damaged,
  (select count(*)::float8 from tenant where is_lost) as "onNoHost",
  coalesce((
    select jsonb_agg(jsonb_build_object('service', service, 'tenant', tenant) order by service, tenant)
    from (select service, tenant from tenant where is_lost order by service, tenant limit $5) as first_ones
  ), '[]') as listed,
  coalesce((select outbox_rows::float8 from known), 0) as "outboxRows",
  coalesce((select jsonb_agg(distinct run) from withdrawn), '[]') as runs
from verdict`
