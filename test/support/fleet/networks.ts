/**
 * Hosts as network namespaces (M18), joined by a bridge as by a switch. The namespaces have no names: each belongs to a
 * process that ends with the test, whatever happens to it, and the kernel then removes all that is in it. Files and
 * sockets with a path are the same in all of them.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { eventually } from '../processes.ts'

export interface Network {
  readonly address: string
  /** The words before a command that runs in this network. */
  readonly enter: readonly string[]
}

export interface Networks extends AsyncDisposable {
  /** Where the database is. */
  readonly hub: Network
  readonly hosts: readonly Network[]
  /** As if the cable of this host were pulled: neither side is told. */
  cut(host: number): void
  heal(host: number): void
}

/** Why there are no networks for tests; null if there are. */
export const noNetworks: string | null =
  process.getuid?.() !== 0
    ? 'only root may make networks'
    : spawnSync('ip', ['-V']).status !== 0
      ? 'iproute2 is not installed'
      : spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'br0', 'type', 'bridge']).status !== 0
        ? 'this machine lets root make no network'
        : null

/** @param total of the hosts. They and the hub see each other, and no other network. */
export async function openNetworks(total: number): Promise<Networks> {
  await using opened = new AsyncDisposableStack()
  const hub = opened.use(await openNamespace('10.77.0.1'))
  ip(hub, 'link add br0 type bridge')
  bringUp(hub, 'br0')
  const hosts: Namespace[] = []
  for (let at = 0; at < total; at++) {
    const host = opened.use(await openNamespace(`10.77.0.${at + 2}`))
    ip(hub, `link add host${at} type veth peer name eth0 netns ${host.pid}`)
    ip(hub, `link set host${at} master br0 up`)
    bringUp(host, 'eth0')
    hosts.push(host)
  }
  const kept = opened.move()
  return {
    hub,
    hosts,
    cut: (host) => ip(hub, `link set host${host} down`),
    heal: (host) => ip(hub, `link set host${host} up`),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

interface Namespace extends Network, AsyncDisposable {
  readonly pid: number
}

/** `cat` keeps it until its input ends: with the test. */
async function openNamespace(address: string): Promise<Namespace> {
  const keeper = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] })
  const { pid } = keeper
  if (pid === undefined) throw new Error('unshare cannot be started')
  const path = `/proc/${pid}/ns/net`
  const own = readlinkSync('/proc/self/ns/net')
  await eventually('the namespace is there', () => readlinkSync(path) !== own)
  return { pid, address, enter: ['nsenter', `--net=${path}`], [Symbol.asyncDispose]: () => close(keeper) }
}

async function close(keeper: ChildProcess): Promise<void> {
  const closed = once(keeper, 'close')
  keeper.stdin?.end()
  await closed
}

function bringUp(network: Network, device: string): void {
  ip(network, `addr add ${network.address}/24 dev ${device}`)
  for (const one of ['lo', device]) ip(network, `link set ${one} up`)
}

function ip({ enter: [command = '', ...words] }: Network, what: string): void {
  const { status, stderr } = spawnSync(command, [...words, 'ip', ...what.split(' ')], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${what}: ${stderr}`)
}
