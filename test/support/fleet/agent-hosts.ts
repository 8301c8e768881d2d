/**
 * Hosts of a fleet for tests: each has a demo service of its own, a configuration, and real agents. What a coordinator
 * does is done by the test, which decides when.
 */
import { join } from 'node:path'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import { chunkJobId, type PlannedChunk } from '../../../src/fleet/jobs/chunk.ts'
import { openJobs, type FleetJobs } from '../../../src/fleet/jobs/jobs.ts'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { setPauseLimits } from '../../../src/fleet/pause/slot-watch.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId, type RunId } from '../../../src/model/brand.ts'
import { configure, type Holdfast } from '../cli/holdfast.ts'
import { eventually, type Program } from '../processes.ts'
import { startDemo, type Demo, type DemoOptions } from '../service/demo-service.ts'
import type { FleetUnderTest } from './each-database.ts'
import type { Network } from './networks.ts'

export interface HostOptions extends DemoOptions {
  /** Lines of the section `fleet`, without the database and the host. */
  readonly fleet?: readonly string[]
  /** Where its agent runs. The service has a socket with a path, which is there in all networks. */
  readonly network?: Network
  /** The section `hold`. */
  readonly hold?: string
}

export interface FleetHost extends AsyncDisposable {
  readonly name: string
  readonly demo: Demo
  readonly holdfast: Holdfast
  /** Where the ledger is. */
  readonly ledger: string
  /** Starts an agent, and waits until it takes chunks unless `isReady` is false. */
  startAgent(isReady?: boolean): Promise<Program>
}

export async function startHost(
  address: FleetAddress,
  name: string,
  { fleet = [], network, hold, ...options }: HostOptions = {},
): Promise<FleetHost> {
  const demo = await startDemo({ tenants: 3, ...options })
  const holdfast = configure(demo, {
    name,
    hold: hold ?? '{ ttl: 10s, drainTimeout: 2s, maxPause: 5s }',
    ...(network === undefined ? {} : { enter: network.enter }),
    more: ['fleet:', `  database: "${textOf(address)}"`, `  host: ${name}`, ...fleet.map((line) => `  ${line}`)],
  })
  return {
    name,
    demo,
    holdfast,
    ledger: join(demo.home, name, 'ledger'),
    async startAgent(isReady = true) {
      const program = holdfast.start('agent')
      if (isReady)
        await eventually(`the agent of ${name} works`, () => takesTenants(program)).catch(async (error) => {
          await program[Symbol.asyncDispose]()
          throw new Error(program.stderr(), { cause: error })
        })
      return program
    },
    [Symbol.asyncDispose]: () => demo[Symbol.asyncDispose](),
  }
}

const takesTenants = (agent: Program): boolean => agent.stderr().includes('takes tenants')
/** For a configuration: `fleet.database`. */
export function textOf(address: FleetAddress): string {
  if (address.kind === 'pglite') return `pglite:${address.dir}`
  const { host, port, database } = address
  const user = address.user ?? ''
  return host.startsWith('/')
    ? `postgres://${user}@localhost/${database}?host=${host}`
    : `postgres://${user}@${host}:${port}/${database}`
}

/** What a coordinator does: queues, limits, and jobs of agents that died. */
export async function openCoordination(
  { database, address }: Pick<FleetUnderTest, 'database' | 'address'>,
  hosts: readonly string[],
  maxPaused = { fleet: 3, service: 3, domain: 3 },
): Promise<FleetJobs> {
  const fleet = { database: address, passwordFile: null, caFile: null, notify: true }
  const jobs = await openJobs({ database, fleet, role: 'coordinator', onError: () => undefined })
  await jobs.createQueues()
  await jobs.createHostQueues(hosts)
  await setPauseLimits(database, maxPaused)
  return jobs
}

/** Waits until a tenant of the host is paused. */
export const firstLease = ({ demo }: Pick<FleetHost, 'demo'>) =>
  eventually('a tenant is paused', async () => (await demo.service.leases(AbortSignal.timeout(60_000)))[0])

export const newRun = (): RunId => newRunId()

export const chunkOf = (
  run: RunId,
  host: string,
  tenants: readonly string[],
  more: Partial<PlannedChunk> = {},
): PlannedChunk => ({
  run,
  week: weekOf(run),
  kind: 'check',
  depth: 'full',
  chunk: 0,
  host,
  priority: 40,
  tenants: tenants.map((id) => tenantId(id)),
  ...more,
})

/** The state of a chunk's job; null if there is none. */
export async function jobState(
  { database }: Pick<FleetUnderTest, 'database'>,
  chunk: PlannedChunk,
): Promise<string | null> {
  const { rows } = await database.query<{ state: string }>('select state::text from pgboss.job where id = $1', [
    chunkJobId(chunk),
  ])
  return rows[0]?.state ?? null
}
