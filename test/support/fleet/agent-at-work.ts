/**
 * What tests of an agent begin with: a host named `alpha` with a service of its own, the queues and limits of a
 * coordinator, and the agent. Then a chunk with all tenants of the host.
 */
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import type { PlannedChunk } from '../../../src/fleet/jobs/chunk.ts'
import type { FleetJobs } from '../../../src/fleet/jobs/jobs.ts'
import { eventually, type Program } from '../processes.ts'
import {
  chunkOf,
  firstLease,
  jobState,
  newRun,
  openCoordination,
  startHost,
  type FleetHost,
  type HostOptions,
} from './agent-hosts.ts'
import type { FleetUnderTest } from './each-database.ts'

export interface AgentAtWork extends AsyncDisposable {
  readonly host: FleetHost
  readonly jobs: FleetJobs
  readonly agent: Program
}

/** A chunk of the agent, with a tenant of it that is paused right now. */
export interface ChunkInHold extends AgentAtWork {
  readonly chunk: PlannedChunk
  readonly tenant: string
}

/** On a busy machine a chunk of some tenants takes a while. */
const chunkMsMax = 120_000

/** @param address the database as the agent reaches it: left out, as it is */
export async function startAgentAtWork(
  fleet: Pick<FleetUnderTest, 'database' | 'address'>,
  { address = fleet.address, ...options }: HostOptions & { readonly address?: FleetAddress } = {},
): Promise<AgentAtWork> {
  await using opened = new AsyncDisposableStack()
  const host = opened.use(await startHost(address, 'alpha', options))
  const jobs = opened.use(await openCoordination(fleet, ['alpha']))
  const agent = opened.use(await host.startAgent())
  const all = opened.move()
  return { host, jobs, agent, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** The service answers slowly unless `options` says otherwise, so that what follows meets the pause. */
export async function startChunkInHold(
  fleet: Pick<FleetUnderTest, 'database' | 'address'>,
  options: Parameters<typeof startAgentAtWork>[1] = {},
): Promise<ChunkInHold> {
  await using opened = new AsyncDisposableStack()
  const work = opened.use(await startAgentAtWork(fleet, { tenants: 3, misbehave: 'slow=500', ...options }))
  const chunk = await sendChunk(work)
  const { tenant } = await firstLease(work.host)
  const all = opened.move()
  return { ...work, chunk, tenant, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Queues a chunk of a run of its own. */
export async function sendChunk(
  { host, jobs }: Pick<AgentAtWork, 'host' | 'jobs'>,
  tenants: readonly string[] = host.demo.tenants,
  more: Partial<PlannedChunk> = {},
): Promise<PlannedChunk> {
  const chunk = chunkOf(more.run ?? newRun(), host.name, tenants, more)
  await jobs.send(host.name, [chunk])
  return chunk
}

/** Waits until all results of the chunk are stored. */
export const chunkDone = (
  fleet: Pick<FleetUnderTest, 'database'>,
  chunk: PlannedChunk,
  agent: Program,
  withinMs = chunkMsMax,
): Promise<unknown> =>
  eventually(
    `the chunk is done: ${agent.stderr()}`,
    async () => (await jobState(fleet, chunk)) === 'completed',
    withinMs,
  )
