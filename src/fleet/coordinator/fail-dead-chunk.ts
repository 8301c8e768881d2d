/**
 * What becomes of a chunk that failed in all its attempts. Its tenants have failed, a person is told once, and the next
 * sweep checks them early. It can be repeated.
 */
import { tenantId, type TenantId } from '../../model/brand.ts'
import { count } from '../../text/count.ts'
import { printableSentenceInUtf8 } from '../../text/printable.ts'
import { conditionOf, noteCondition } from '../alarms/condition.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { Chunk } from '../jobs/chunk.ts'
import { deliverStatement } from '../results/deliver-statement.ts'
import type { OutgoingResult } from '../results/outgoing-result.ts'

interface MissingFile {
  readonly service: string
  readonly tenant: string
  readonly path: string
}

/** An agent counts its attempts from 1, so its own result of the same run takes the place of this one. */
const beforeAllAttempts = 0

/** @param why the error of the last attempt: untrusted text @throws {Failure} FLEET_* */
export async function failDeadChunk(database: FleetDatabase, host: string, chunk: Chunk, why: string): Promise<void> {
  const { week, run, tenants } = chunk
  const { rows } = await database.query<MissingFile>(withoutResult, [week, run, host, [...tenants]])
  if (rows.length > 0) await database.query('select holdfast.result_week($1::date)', [week])
  for (const [service, missing] of Map.groupBy(rows, (row) => row.service)) {
    const now = Date.now()
    const batch = missing.map(({ tenant, path }) => failedResult(chunk, tenantId(tenant), path, now))
    await database.query(deliverStatement, [JSON.stringify(batch), host, service, now])
  }
  const { rows: failed } = await database.query(withoutOwnResult, [week, run, host, [...tenants]])
  if (failed.length === 0) return
  const said = printableSentenceInUtf8(why)
  await noteCondition(
    database,
    conditionOf('dead-letter', host, run, {
      severity: 'inconclusive',
      host,
      text:
        `The agent of ${host} could not examine ${failed.length} of ${count(tenants.length, 'tenant')} of ` +
        `run ${run}, in all attempts: ${said}. The next sweep checks ${failed.length === 1 ? 'it' : 'them'} early.`,
      command: `holdfast fleet agents`,
    }),
  )
}

const failedResult = ({ week, run }: Chunk, tenant: TenantId, path: string, now: number): OutgoingResult => ({
  week,
  run,
  tenant,
  path,
  attempt: beforeAllAttempts,
  verdict: 'failed',
  damage: 'none',
  failure: 'FLEET_CHUNK_FAILED',
  settles: false,
  checkedAt: now,
  report: null,
  content: null,
})

const withoutResult = `
select service, tenant, path from holdfast.place
where host = $3 and tenant = any($4) and gone_at is null and not exists (
  select from holdfast.result where (week, run, host, tenant, path) = ($1::date, $2, $3, place.tenant, place.path)
)
order by service, tenant, path`

/** Tenants of which the agent has delivered nothing. */
const withoutOwnResult = `
select tenant from unnest($4::text[]) as tenant
except
select tenant from holdfast.result
where (week, run, host) = ($1::date, $2, $3) and tenant = any($4) and attempt > ${beforeAllAttempts}`
