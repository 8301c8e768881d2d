/** What is known of one run of the fleet, for people who wait for it. */
import type { RunId } from '../../../model/brand.ts'
import type { FleetDatabase } from '../../database/database.ts'
import { weekOf } from '../../jobs/week-of-run.ts'

export interface FleetRunFacts {
  readonly id: RunId
  readonly kind: string
  readonly state: 'feeding' | 'fed' | 'done' | 'stopped'
  /** Why it was stopped; else null. */
  readonly said: string | null
  /** Files: all that it took, and those that have a result. */
  readonly total: number
  readonly done: number
  readonly sound: number
  readonly damaged: number
  readonly inconclusive: number
  readonly failed: number
  /** Tenants that may be paused after a check of this run. */
  readonly maybePaused: number
  readonly hosts: number
  /** Hosts that have not ended their share. */
  readonly hostsLeft: number
  /** ms since a coordinator was last seen, by the clock of the database; null if there was none. */
  readonly coordinatorSeenMs: number | null
  /** Why no tenant may be paused now, if the breaker of the fleet is open; else null. */
  readonly stopped: string | null
}

export interface FleetProblem {
  readonly host: string
  readonly service: string
  readonly tenant: string
  readonly path: string
  readonly verdict: string
  readonly damage: string | null
}

/** @returns null if there is no such run @throws {Failure} FLEET_* */
export async function readRun(database: FleetDatabase, run: RunId): Promise<FleetRunFacts | null> {
  const { rows } = await database.query<FleetRunFacts>(facts, [run, weekOf(run)])
  return rows[0] ?? null
}

/** The gravest files that the run did not find sound. @throws {Failure} FLEET_* */
export async function readProblems(
  database: FleetDatabase,
  run: RunId,
  most: number,
): Promise<readonly FleetProblem[]> {
  const { rows } = await database.query<FleetProblem>(problems, [run, most])
  return rows
}

const facts = `
select id, kind, state, said, run.total,
  coalesce(share.done, 0)::float8 as done, coalesce(share.sound, 0)::float8 as sound,
  coalesce(share.damaged, 0)::float8 as damaged, coalesce(share.inconclusive, 0)::float8 as inconclusive,
  coalesce(share.failed, 0)::float8 as failed, share.hosts,
  (select count(distinct host) from holdfast.chunk where chunk.run = run.id) as "hostsLeft",
  (
    select count(distinct (host, tenant)) from holdfast.result
    where week = $2::date and result.run = run.id and failure = 'RESUME_FAILED'
  ) as "maybePaused",
  (select (extract(epoch from now() - max(seen_at)) * 1000)::float8 from holdfast.coordinator) as "coordinatorSeenMs",
  (select reason from holdfast.breaker where scope = 'fleet') as stopped
from holdfast.run, lateral (
  select count(*) as hosts, sum(case when planned then least(done, total) else done end) as done,
    sum(sound) as sound, sum(damaged) as damaged, sum(inconclusive) as inconclusive, sum(failed) as failed
  from holdfast.run_host where run_host.run = run.id
) as share
where id = $1`

const problems = `
select host, service, tenant, path, verdict, damage from holdfast.place
where verdict <> 'sound' and run = $1 and gone_at is null
order by case verdict when 'damaged' then 0 when 'failed' then 1 else 2 end, host, service, tenant, path limit $2`
