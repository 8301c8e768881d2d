/** Works on the chunks of a host as an agent does, but makes up the results: real jobs, real deliveries, no holds. */
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import type { Chunk } from '../../../src/fleet/jobs/chunk.ts'
import { openJobs } from '../../../src/fleet/jobs/jobs.ts'
import { deliverStatement } from '../../../src/fleet/results/deliver-statement.ts'
import { eventually } from '../processes.ts'
import type { FleetUnderTest } from './each-database.ts'
import { fleetSettings } from './fleet-settings.ts'

export type MadeUpVerdict = 'sound' | 'damaged' | 'inconclusive' | 'failed'

export interface StandIn extends AsyncDisposable {
  /** The chunks that it was given, as `run/chunk`, in this order. */
  readonly given: readonly string[]
}

export interface StandInOptions {
  readonly host: string
  readonly verdictOf?: (tenant: string) => MadeUpVerdict
  /** Called before a chunk is examined; what it throws fails the chunk. */
  readonly before?: (chunk: Chunk) => void | Promise<void>
}

/** Waits for the queue of its host. */
export async function startStandIn(
  fleet: Pick<FleetUnderTest, 'address' | 'open'>,
  { host, verdictOf = () => 'sound', before }: StandInOptions,
): Promise<StandIn> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await fleet.open())
  const settings = fleetSettings(fleet)
  const onError = (): void => undefined // The database is stopped in some tests.
  const open = () => openJobs({ database, fleet: settings, role: 'agent', onError })
  const jobs = opened.use(await eventually('the coordinator has prepared the tables', open))
  const given: string[] = []
  await eventually(`the coordinator has made the queue of ${host}`, () => jobs.hasQueue(host))
  for (const lane of ['sweep', 'incident'] as const)
    await jobs.work(host, lane, async (chunk) => {
      given.push(`${chunk.run}/${chunk.chunk}`)
      await before?.(chunk)
      await deliver(database, host, chunk, verdictOf)
    })
  const all = opened.move()
  return { given, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function deliver(
  database: FleetDatabase,
  host: string,
  { week, run, tenants }: Chunk,
  verdictOf: (tenant: string) => MadeUpVerdict,
): Promise<void> {
  const now = Date.now()
  const batch = tenants.map((tenant) => {
    const verdict = verdictOf(tenant)
    const damage = verdict === 'damaged' ? 'index' : 'none'
    const settles = verdict === 'sound' || verdict === 'damaged'
    const path = `/srv/${tenant}.db`
    const failure = verdict === 'failed' ? 'LEASE_LOST' : null
    return {
      week,
      run,
      tenant,
      path,
      attempt: 1,
      verdict,
      damage,
      failure,
      settles,
      checkedAt: now,
      report: null,
      content: null,
    }
  })
  await database.query('select holdfast.result_week($1::date)', [week])
  await database.query(deliverStatement, [JSON.stringify(batch), host, 'notes', now])
}
