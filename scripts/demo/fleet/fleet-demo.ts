/**
 * `npm run demo -- fleet`: three hosts with a service each, three agents, and a coordinator on PGlite sweep fourteen
 * databases while the services work. One tenant is damaged. A replica has lost a row. One agent is killed while a
 * tenant of its host is paused. Each step states what it shows. If one is not as promised, the exit code is 1.
 * Everything is removed at the end.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { count } from '../../../src/text/count.ts'
import { colors, expect, hasNotEnded, say } from '../narrator.ts'
import { mostAtOnce, readPauses, type LoggedPause } from '../notes/pause-log.ts'
import { runHoldfast, type HoldfastRun } from '../steps.ts'
import { isWhole, verifyTenants } from '../verify.ts'
import {
  alarmsIn,
  coordinatorConfig,
  damagedTenant,
  demoFiles,
  hostNames,
  loadedOn,
  makeFleetTenants,
  maxPaused,
  replicas,
  startDemoHost,
  type DemoHost,
  type HostName,
} from './fleet-hosts.ts'
import { startedPids, logOf, startHoldfast, waitUntil, type LongRunningProgram } from './fleet-processes.ts'

const bytesPerTenant = 2_000_000
const transfersPerSecond = 30
/** A service ends a pause itself after so long (`hold.ttl`). */
const leaseMs = 30_000
/** Nothing of the demo takes longer on a machine that has other work. */
const stepMsMax = 180_000

interface FleetDemo {
  readonly folder: string
  readonly hosts: Readonly<Record<HostName, DemoHost>>
  /** The one of a host that runs, or ran last. */
  readonly agents: Record<HostName, LongRunningProgram>
  /** Of all processes that the demo has started. */
  readonly pids: number[]
  readonly cleanup: AsyncDisposableStack
  readonly signal: AbortSignal
}

export async function runFleetDemo(signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const demo = await prepare(cleanup, signal)
  await showSweep(demo)
  await showStatus(demo)
  showLimit(demo)
  await showReplicas(demo)
  await showThatNoWriteIsLost(demo)
  await cleanup.disposeAsync()
  expect(
    demo.pids.every((pid) => !hasNotEnded(pid)) && !existsSync(demo.folder),
    'all processes have ended, and the folder is removed',
  )
  if (process.exitCode === 1) say(' was not as promised, see above', 'something', colors.red)
  else say('done: three hosts were checked as one while their services worked')
}

async function prepare(cleanup: AsyncDisposableStack, signal: AbortSignal): Promise<FleetDemo> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-fleet-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  makeFleetTenants(folder, bytesPerTenant)
  say(
    `made ${demoFiles} databases on ${hostNames.length} hosts; index notes_title of ${damagedTenant} is damaged, and ` +
      `the copy of ${replicas.differing} on beta has lost a note`,
  )
  const pids: number[] = []
  const startService = async (name: HostName): Promise<DemoHost> => {
    signal.throwIfAborted()
    const host = await startDemoHost(folder, name, transfersPerSecond)
    cleanup.use(host.service)
    pids.push(host.service.pid)
    say(`started the notes service of ${name} (pid ${host.service.pid})`)
    return host
  }
  const hosts = {
    alpha: await startService('alpha'),
    beta: await startService('beta'),
    gamma: await startService('gamma'),
  }
  const coordinator = cleanup.use(
    startHoldfast(['coordinator', '--config', coordinatorConfig(folder)], logOf(folder, 'coordinator')),
  )
  pids.push(coordinator.pid)
  say(`started the coordinator (pid ${coordinator.pid}); its database is a folder (PGlite)`)
  const start = (name: HostName): LongRunningProgram => startAgent({ folder, hosts, pids, cleanup }, name)
  const agents = { alpha: start('alpha'), beta: start('beta'), gamma: start('gamma') }
  const demo = { folder, hosts, agents, pids, cleanup, signal }
  await waitUntil('all agents take tenants', () => knownFiles(demo), { ...waitTerms(demo), everyMs: 500 })
  return demo
}

function startAgent(
  { folder, hosts, pids, cleanup }: Pick<FleetDemo, 'folder' | 'hosts' | 'pids' | 'cleanup'>,
  name: HostName,
): LongRunningProgram {
  const agent = cleanup.use(startHoldfast(['agent', '--config', hosts[name].config], logOf(folder, name)))
  pids.push(agent.pid)
  say(`started the agent of ${name} (pid ${agent.pid})`)
  return agent
}

const waitTerms = ({ folder, signal }: FleetDemo) => ({
  ms: stepMsMax,
  logs: ['coordinator', ...hostNames].map((name) => logOf(folder, name)),
  signal,
})

const ask = ({ folder, signal }: FleetDemo, words: readonly string[], show: 'shown' | 'returned') =>
  runHoldfast(['fleet', ...words, '--config', coordinatorConfig(folder)], show, signal)

interface Counts {
  readonly sound: number
  readonly damaged: number
  readonly inconclusive: number
  readonly failed: number
  readonly never: number
}

/** null waitUntil the fleet knows every file. */
async function knownFiles(demo: FleetDemo): Promise<true | null> {
  const counts = countsIn(await ask(demo, ['status', '--json'], 'returned'))
  return counts !== null && Object.values(counts).reduce((sum, one) => sum + one, 0) === demoFiles ? true : null
}

/** null if the answer is none. */
function countsIn({ stdout }: HoldfastRun): Counts | null {
  const { counts = null } = JSON.parse(stdout || '{}') as { readonly counts?: Counts }
  return counts
}

/** The agent of gamma is killed in the middle. The sweep goes on, and its successor does what is left. */
async function showSweep(demo: FleetDemo): Promise<void> {
  const { hosts, agents, signal } = demo
  const { pauses } = hosts.gamma
  say('holdfast fleet sweep, while the services work:')
  const sweeping = ask(demo, ['sweep'], 'shown')
  const paused = await waitUntil('a tenant of gamma is paused', () => pausedNow(pauses), {
    ...waitTerms(demo),
    everyMs: 1,
  })
  demo.pids.push(...startedPids(agents.gamma.pid))
  await agents.gamma.kill()
  say(`killed the agent of gamma (kill -9) while ${paused.tenant} was paused`)
  const endedNs = await waitUntil('it is resumed', () => endOf(pauses, paused), { ...waitTerms(demo), everyMs: 5 })
  const pausedMs = Number((endedNs - paused.beganNs) / 1_000_000n)
  expect(pausedMs < leaseMs, `${paused.tenant} serves again without the agent: it stood still for ${pausedMs} ms`)
  agents.gamma = startAgent(demo, 'gamma')
  const { code } = await sweeping
  signal.throwIfAborted()
  expect(code === 2, `exit code 2 means that damage was found, and it is ${code}`)
}

const pausedNow = (log: string): LoggedPause | null => readPauses(log).find(({ endedNs }) => endedNs === null) ?? null

const endOf = (log: string, { tenant, beganNs }: LoggedPause): bigint | null =>
  readPauses(log).find((one) => one.tenant === tenant && one.beganNs === beganNs)?.endedNs ?? null

async function showStatus(demo: FleetDemo): Promise<void> {
  say('holdfast fleet status:')
  await ask(demo, ['status'], 'shown')
  const counts = countsIn(await ask(demo, ['status', '--json'], 'returned'))
  demo.signal.throwIfAborted()
  expect(
    counts?.sound === demoFiles - 1 && counts.damaged === 1,
    `each of the ${demoFiles} databases has a result, and all but one are sound`,
  )
  const log = alarmsIn(demo.folder)
  const told = await waitUntil('the alarm', () => alarmsAbout(log, damagedTenant), { ...waitTerms(demo), everyMs: 200 })
  expect(told.length === 1, `the damage of ${damagedTenant} raised one alarm for the whole fleet`)
}

interface Alarm {
  readonly severity: string
  readonly title: string
  readonly tenants?: readonly { readonly tenant: string }[]
}

/** null if there is none yet. */
function alarmsAbout(log: string, tenant: string): readonly Alarm[] | null {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  const alarms = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Alarm)
  const about = alarms.filter(
    ({ severity, tenants = [] }) => severity === 'DAMAGED' && tenants.some((one) => one.tenant === tenant),
  )
  return about.length === 0 ? null : about
}

/** The services themselves have counted. */
function showLimit({ hosts }: FleetDemo): void {
  const pauses = hostNames.flatMap((name) => readPauses(hosts[name].pauses))
  const most = mostAtOnce(pauses)
  expect(
    most <= maxPaused && pauses.every(({ endedNs }) => endedNs !== null),
    `the services counted ${count(pauses.length, 'pause')}; at most ${count(most, 'tenant')} stood still at the same ` +
      `time, and fleet.maxPaused is ${maxPaused}`,
  )
}

async function showReplicas(demo: FleetDemo): Promise<void> {
  const { equal, differing } = replicas
  const same = await ask(demo, ['compare', equal], 'returned')
  expect(same.code === 0, `both copies of ${equal} hold the same, by the digests of their checks`)
  say(`holdfast fleet compare ${differing}:`)
  const { code } = await ask(demo, ['compare', differing], 'shown')
  expect(code === 5, `exit code 5 means that the copies differ, and it is ${code}`)
  say(`holdfast fleet compare --by-key ${differing}, which takes a snapshot on both hosts:`)
  const { stdout } = await ask(demo, ['compare', '--by-key', differing], 'returned')
  process.stdout.write(stdout)
  expect(/only in A +1: 17$/m.test(stdout), 'the agents named the note that is missing, by its key alone')
}

async function showThatNoWriteIsLost({ hosts, agents, pids }: FleetDemo): Promise<void> {
  for (const name of hostNames) {
    pids.push(...startedPids(agents[name].pid))
    await agents[name].stop()
    await hosts[name].service.stop()
  }
  const verified = hostNames.flatMap((name) => verifyTenants(hosts[name].dir, loadedOn(name)))
  const acknowledged = verified.reduce((sum, one) => sum + one.acknowledged, 0)
  expect(
    verified.every(isWhole) && acknowledged > 0,
    `the services acknowledged ${acknowledged} transfers for ${verified.length} tenants: none is missing`,
  )
}
