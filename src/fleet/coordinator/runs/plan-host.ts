/**
 * Plans what a run takes of one host, by one statement: all of the plan is stored, or nothing. A second call changes
 * nothing, so a run is planned once, however often its coordinator is killed.
 */
import type { RunId } from '../../../model/brand.ts'
import type { FleetDatabase } from '../../database/database.ts'
import { maxTenantsOfChunk, type PlannedChunk } from '../../jobs/chunk.ts'
import { incidentPriority, priorities } from '../../jobs/chunk.ts'
import { weekOf } from '../../jobs/week-of-run.ts'

export async function planHost(database: FleetDatabase, run: RunId, host: string): Promise<void> {
  const { firstWave, triage, resend } = priorities
  await database.query(planStatement, [
    run,
    host,
    maxTenantsOfChunk,
    firstWave,
    triage,
    resend + 1,
    incidentPriority - 1,
  ])
}

/** What is left of the run on this host, in the order in which it is to be fed. */
export async function chunksLeft(database: FleetDatabase, run: RunId, host: string): Promise<readonly PlannedChunk[]> {
  const { rows } = await database.query<Omit<PlannedChunk, 'week'>>(
    'select run, host, chunk, kind, depth, priority, tenants from ' +
      'holdfast.chunk where run = $1 and host = $2 order by chunk',
    [run, host],
  )
  const week = weekOf(run)
  return rows.map((row) => ({ ...row, week }))
}

/**
 * A sweep takes files in waves: those never checked, those that were not found sound, then by the age of their last
 * sound check. A triage takes those that are damaged first, then those that could not be read, then those never
 * checked. The others follow by the age of their last sound check.
 */
const planStatement = `
with run as (select kind, policy from holdfast.run where id = $1 and state = 'feeding'),
tenant as (
  select tenant, count(*) as files,
    bool_or(checked_at is null) as unchecked,
    bool_or(checked_at is not null and verdict is distinct from 'sound') as unsound,
    bool_or(verdict is not distinct from 'damaged') as damaged,
    case when count(sound_at) = count(*) then min(sound_at) end as sound_at
  from holdfast.place, run
  where host = $2 and gone_at is null and char_length(tenant) between 1 and 1024
    and (policy ->> 'service' is null or service = policy ->> 'service')
  group by tenant
),
waved as (
  select tenant, sound_at, run.kind, policy ->> 'depth' as depth,
    case
      when run.kind = 'triage' then case when damaged then 0 when unsound then 1 when unchecked then 2 else 3 end
      when unchecked then 0
      when unsound then 1
      else 2 + (
        select count(*) from jsonb_array_elements_text(policy -> 'waves') as bound
        where bound::timestamptz < sound_at
      )
    end as wave
  from tenant, run
),
placed as (
  select *, row_number() over (order by wave, sound_at nulls first, tenant) - 1 as place from waved
),
planned as (
  insert into holdfast.run_host as known (run, host, total, planned)
  select $1, $2, coalesce(sum(files), 0), true from tenant where exists (select from run)
  on conflict (run, host) do update set total = excluded.total, planned = true where not known.planned
  returning total
)
insert into holdfast.chunk (run, host, chunk, kind, depth, priority, tenants)
select $1, $2, place / $3, case kind when 'triage' then 'triage' else 'check' end, depth,
  case kind when 'triage' then greatest($5 - place / $3, $6) else least($4 - min(wave), $7) end,
  jsonb_agg(tenant order by place)
from placed where exists (select from planned)
group by place / $3, kind, depth`
