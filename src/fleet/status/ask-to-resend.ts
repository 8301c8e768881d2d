/**
 * Asks the agents to send again what their ledgers have: it rebuilds a database that was lost, or restored from an old
 * backup. The agents examine nothing, and what the database has already, it leaves out.
 */

import type { RunId } from '../../model/brand.ts'
import type { FleetDatabase } from '../database/database.ts'
import { maxTenantsOfChunk, priorities } from '../jobs/chunk.ts'

/** `unfinished`: agents are still sending for this run. */
export type ResendAnswer = { readonly tenants: number } | { readonly unfinished: string }

/** A coordinator queues the chunks. The places of a new database are those that its agents have registered. */
export async function askToResend(database: FleetDatabase, run: RunId): Promise<ResendAnswer> {
  const { rows } = await database.query<{ readonly begun: boolean; readonly tenants: number }>(resendStatement, [
    run,
    maxTenantsOfChunk,
    priorities.resend,
  ])
  const [answer] = rows
  if (answer?.begun === true) return { tenants: answer.tenants }
  const { rows: unfinished } = await database.query<{ id: string }>(
    `select id from holdfast.run where kind = 'resend' and state in ('feeding', 'fed') limit 1`,
  )
  return unfinished[0] === undefined ? askToResend(database, run) : { unfinished: unfinished[0].id }
}

/** All of it is stored, or nothing. A second one of its kind is refused by an index while the first is unfinished. */
const resendStatement = `
with begun as (
  insert into holdfast.run (id, kind, policy, state) values ($1, 'resend', '{}', 'fed') on conflict do nothing
  returning id
),
known as (
  select host, tenant, row_number() over (partition by host order by tenant) - 1 as place
  from (
    select distinct host, tenant from holdfast.place where gone_at is null and char_length(tenant) between 1 and 1024
  ) p
),
planned as (
  insert into holdfast.chunk (run, host, chunk, kind, depth, priority, tenants)
  select begun.id, host, place / $2, 'resend', 'full', $3, jsonb_agg(tenant order by place)
  from known, begun group by begun.id, host, place / $2
  returning jsonb_array_length(tenants) as tenants
)
select exists (select from begun) as begun, coalesce((select sum(tenants) from planned), 0)::float8 as tenants`
