/**
 * One sweep of a simulated fleet: a real PostgreSQL, a real coordinator with its queues, and the statements of real
 * agents (../../programs/fleet/simulated-agents.ts).
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { FleetAddress } from '../../../../src/config/fleet/fleet-settings.ts'
import { beginRun } from '../../../../src/fleet/coordinator/runs/begin-run.ts'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { setPauseLimits } from '../../../../src/fleet/pause/slot-watch.ts'
import { sleep } from '../../../../src/host/clock.ts'
import { newRunId } from '../../../../src/ledger/run-lock/run-id.ts'
import type { RunId } from '../../../../src/model/brand.ts'
import type { SimulatedAgents, SimulatedHost } from '../../programs/fleet/simulated-agents.ts'
import { startCoordinator, type RunningCoordinator } from '../running-coordinator.ts'

export interface FleetSize {
  readonly hosts: number
  readonly tenants: number
  /** Tenants of the whole fleet that may be paused at the same time. */
  readonly maxPaused: number
}

export interface SimulatedDatabase {
  readonly database: FleetDatabase
  readonly address: FleetAddress
  /** The processor time that the server has used, in ms. */
  readonly processorMs: () => number
}

interface Phase {
  readonly ms: number
  /** Of the database. */
  readonly processorMs: number
}

export interface SimulatedSweep {
  readonly run: RunId
  readonly registered: Phase
  readonly fed: Phase
  readonly worked: Phase
  /** Most slots of the fleet that were taken when the sampler looked. */
  readonly pausedMost: number
  readonly alarms: RunningCoordinator['alarms']
}

/** What is done while the sweep works, once half of it is done. */
export type HalfwayAction = () => Promise<void>

const hostsOfProcess = 100
const domains = 40
const pollMs = 200

export async function simulateSweep(
  fleet: SimulatedDatabase,
  { hosts, tenants, maxPaused }: FleetSize,
  atHalf: HalfwayAction = () => Promise.resolve(),
): Promise<SimulatedSweep> {
  const { database, address } = fleet
  const limits = { fleet: maxPaused, service: maxPaused, domain: maxPaused }
  await using coordinator = startCoordinator(fleet, { settings: { maxPaused: limits } })
  await until(async () => (await database.query('select from holdfast.coordinator').catch(() => null)) !== null)
  await setPauseLimits(database, limits)
  const all = hostsOf(hosts, tenants)
  const [agents, registered] = await measure(fleet, async () => {
    const groups = Array.from({ length: Math.ceil(hosts / hostsOfProcess) }, (_, at) =>
      all.slice(at * hostsOfProcess, (at + 1) * hostsOfProcess),
    )
    return Promise.all(groups.map((group) => startAgents({ address, hosts: group, windowMs: 2_000 })))
  })
  await using _agents = { [Symbol.asyncDispose]: () => endAgents(agents) }
  await database.query('analyze')
  const run = newRunId()
  const [, fed] = await measure(fleet, async () => {
    await beginRun(database, run, { kind: 'sweep', depth: 'full', hosts: null, service: null, by: 'simulation' })
    await until(async () => (await stateOf(database, run)) === 'fed')
  })
  const sampler = new Sampler(database)
  const [, worked] = await measure(fleet, async () => {
    for (const agent of agents) agent.send('work')
    const following = follow(database, run, tenants, atHalf)
    await Promise.race([following, ...agents.map(endedEarly)])
  })
  return { run, registered, fed, worked, pausedMost: await sampler.end(), alarms: coordinator.alarms }
}

/** Waits for the end of the run. */
async function follow(database: FleetDatabase, run: RunId, tenants: number, atHalf: HalfwayAction): Promise<void> {
  let isHalf = false
  await until(async () => {
    const state = await stateOf(database, run)
    if (!isHalf && (await doneOf(database, run)) >= tenants / 2) {
      isHalf = true
      await atHalf()
    }
    if (state === 'stopped') throw new Error(`the run ${run} was stopped`)
    return state === 'done'
  })
}

function hostsOf(hosts: number, tenants: number): readonly SimulatedHost[] {
  const each = Math.ceil(tenants / hosts)
  return Array.from({ length: hosts }, (_, at) => ({
    name: `host-${String(at).padStart(4, '0')}`,
    domain: `rack-${at % domains}`,
    first: at * each,
    tenants: Math.max(0, Math.min(each, tenants - at * each)),
  }))
}

/** Resolves when all their hosts are registered. */
async function startAgents(order: SimulatedAgents): Promise<ChildProcess> {
  const program = new URL('../../programs/fleet/simulated-agents.ts', import.meta.url).pathname
  const agent = fork(program, [JSON.stringify(order)])
  await Promise.race([once(agent, 'message'), endedEarly(agent)])
  return agent
}

async function endedEarly(agent: ChildProcess): Promise<never> {
  const [code, signal] = (await once(agent, 'exit')) as [number | null, string | null]
  throw new Error(`simulated agents have ended (${code ?? signal})`)
}

async function endAgents(agents: readonly ChildProcess[]): Promise<void> {
  for (const agent of agents) {
    if (agent.exitCode !== null || agent.signalCode !== null) continue
    const ended = once(agent, 'exit')
    agent.disconnect()
    await ended
  }
}

async function stateOf(database: FleetDatabase, run: RunId): Promise<string | null> {
  const { rows } = await database.query<{ state: string }>('select state from holdfast.run where id = $1', [run])
  return rows[0]?.state ?? null
}

async function doneOf(database: FleetDatabase, run: RunId): Promise<number> {
  const { rows } = await database.query<{ done: number }>(
    'select coalesce(sum(done), 0)::float8 as done from holdfast.run_host where run = $1',
    [run],
  )
  return rows[0]?.done ?? 0
}

async function measure<Value>(
  { processorMs }: SimulatedDatabase,
  work: () => Promise<Value>,
): Promise<readonly [Value, Phase]> {
  const [began, before] = [performance.now(), processorMs()]
  const value = await work()
  return [value, { ms: performance.now() - began, processorMs: processorMs() - before }]
}

/** The agents end with an error if the database cannot be used, so this ends too. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(pollMs)
}

/** Counts the slots that are taken, again and again. */
class Sampler {
  readonly #stop = new AbortController()
  readonly #loop: Promise<number>

  constructor(database: FleetDatabase) {
    this.#loop = this.#sample(database)
  }

  end(): Promise<number> {
    this.#stop.abort()
    return this.#loop
  }

  async #sample(database: FleetDatabase): Promise<number> {
    let most = 0
    while (!this.#stop.signal.aborted) {
      const { rows } = await database.query<{ taken: number }>(
        `select count(*)::integer as taken from holdfast.pause_slot where scope = 'fleet' and holder is not null`,
      )
      most = Math.max(most, rows[0]?.taken ?? 0)
      await sleep(pollMs, this.#stop.signal).catch(() => undefined)
    }
    return most
  }
}
