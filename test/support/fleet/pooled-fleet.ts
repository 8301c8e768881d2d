/** Agents that reach the database through a pooler, and a coordinator that reaches it directly. */
import { sleep } from '../../../src/host/clock.ts'
import { configure } from '../cli/holdfast.ts'
import { eventually, type Program } from '../processes.ts'
import { startDemo } from '../service/demo-service.ts'
import { startHost, textOf, type FleetHost } from './agent-hosts.ts'
import type { EncryptedFleet } from './encrypted-fleet.ts'

interface PooledFleet extends AsyncDisposable {
  readonly hosts: readonly FleetHost[]
  /** In the order of the hosts. */
  readonly agents: readonly Program[]
  /** Begins a sweep, and does not wait for it. */
  begin(): Promise<void>
  /** @returns the counts of a whole sweep */
  sweep(): Promise<Readonly<Record<string, number>>>
  /** @returns the step about the database, as an agent at this port has it */
  doctor(port: number, notify: boolean): Promise<unknown>
}

interface PooledOptions {
  readonly agents: number
  /** Of each agent. */
  readonly tenants: number
  /** Paused at the same time in the fleet. */
  readonly most: number
  /** Of the agents. */
  readonly notify?: boolean
}

export async function startPooledFleet(
  fleet: EncryptedFleet,
  port: number,
  { agents, tenants, most, notify: isNotified = false }: PooledOptions,
): Promise<PooledFleet> {
  await using opened = new AsyncDisposableStack()
  const agentLines = [...fleet.linesOf('holdfast_agent'), `notify: ${isNotified}`]
  const { database } = fleet.access('holdfast_agent', port)
  const hosts: FleetHost[] = []
  for (let at = 0; at < agents; at++) {
    const options = { tenants, bytes: 20_000, misbehave: 'slow=200', fleet: agentLines }
    hosts.push(opened.use(await startHost(database, `host${at}`, options)))
  }
  const demo = opened.use(await startDemo({ tenants: 1, bytes: 20_000 }))
  const configured = (name: string, lines: readonly string[]) =>
    configure(demo, { name, more: ['fleet:', ...lines.map((line) => `  ${line}`)] })
  const coordinator = configured('coordinator', [
    `database: "${textOf(fleet.access('holdfast_coordinator').database)}"`,
    ...fleet.linesOf('holdfast_coordinator'),
    `maxPaused: { fleet: ${most}, service: ${most}, domain: ${most} }`,
  ])
  const coordinates = opened.use(coordinator.start('coordinator'))
  await eventually('the tables are made', () => coordinates.stderr().includes('the coordinator works'))
  const starting = await Promise.allSettled(hosts.map(async (host) => opened.use(await host.startAgent())))
  const running = starting.map((started) => {
    if (started.status === 'rejected') throw started.reason
    return started.value
  })
  const swept = async (...more: readonly string[]): Promise<Readonly<Record<string, number>>> => {
    const { code, stdout, stderr } = await coordinator.run('fleet', 'sweep', '--json', ...more)
    if (code !== 0) throw new Error(`exit code ${code}: ${stdout}${stderr}`)
    return (JSON.parse(stdout) as { readonly counts: Readonly<Record<string, number>> }).counts
  }
  const kept = opened.move()
  return {
    hosts,
    agents: running,
    begin: async () => void (await swept('--detach')),
    sweep: async () => swept(),
    async doctor(through, notify) {
      const address = `database: "${textOf(fleet.access('holdfast_agent', through).database)}"`
      const lines = [address, ...fleet.linesOf('holdfast_agent'), `notify: ${notify}`]
      const { stdout } = await configured('doctor', lines).run('doctor', '--json')
      const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly about: string }[] }
      return steps.find(({ about }) => about === 'fleet.database')
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Asks the services who is paused until it is ended. */
export function watchPauses(hosts: readonly FleetHost[]): { end(): Promise<number> } {
  const over = new AbortController()
  const leases = async (): Promise<ReadonlySet<string>> => {
    const each = await Promise.all(hosts.map(({ demo }) => demo.service.leases(AbortSignal.timeout(60_000))))
    return new Set(each.flatMap((open, at) => open.map(({ leaseId }) => `${at} ${leaseId}`)))
  }
  const watching = (async () => {
    let most = 0
    let before = await leases()
    while (!over.signal.aborted) {
      const after = await leases()
      // What was open both times was open all the time between, so these were open together.
      most = Math.max(most, [...after].filter((lease) => before.has(lease)).length)
      before = after
      await sleep(20)
    }
    return most
  })()
  watching.catch(() => undefined) // `end` throws it.
  return {
    end() {
      over.abort()
      return watching
    },
  }
}
