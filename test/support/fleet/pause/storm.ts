/**
 * A storm against the limit: agents are killed, frozen at any time and exactly between slot and request, cut off from
 * the database, and the database is restarted. The service counts who stands still.
 */
import { setPauseLimits } from '../../../../src/fleet/pause/slot-watch.ts'
import { sleep } from '../../../../src/host/clock.ts'
import type { Program } from '../../processes.ts'
import { randomFrom } from '../../random.ts'
import type { FleetUnderTest } from '../each-database.ts'
import { attackExpiryMs } from './agent-options.ts'
import { messagesOf, openAttackScene, startWatch } from './attack-scene.ts'

interface StormTerms {
  readonly fleet: Pick<FleetUnderTest, 'database' | 'address' | 'cluster'>
  /** It goes on for five times as long until there were `holdsMin` holds: a busy machine starts agents slowly. */
  readonly seconds: number
  readonly holdsMin: number
  readonly seed: number
  readonly agents: number
  /** Of the fleet, and of each of its two domains one less. */
  readonly limit: number
}

export interface StormOutcome {
  readonly mostAtOnce: number
  readonly holds: number
  readonly kills: number
  readonly freezes: number
  /** Freezes between slot and request. */
  readonly inGap: number
  readonly drops: number
  readonly restarts: number
  /** Agents that ended by themselves, with what they have said last. */
  readonly ended: readonly string[]
}

export async function raiseStorm({ fleet, seconds, holdsMin, seed, agents, limit }: StormTerms): Promise<StormOutcome> {
  const random = randomFrom(seed)
  const tally = { holds: 0, kills: 0, freezes: 0, inGap: 0, drops: 0, restarts: 0 }
  const ended: string[] = []
  await setPauseLimits(fleet.database, { fleet: limit, service: limit, domain: limit - 1 })
  await using scene = await openAttackScene('storm', agents)
  await using _watch = startWatch(fleet.database)
  const begin = (at: number) =>
    scene.agent({
      database: fleet.address,
      host: `h${at}`,
      domain: `d${at % 2}`,
      holds: 1_000_000,
      tenants: [`t${at}`],
      freezeAt: random() < 0.3 ? 'asked' : null,
    })
  const running = Array.from({ length: agents }, (_, at) => begin(at))
  const startedMs = performance.now()
  const heldBy = (agent: Program): number => messagesOf(agent).filter(({ held }) => held !== undefined).length
  const holds = (): number => running.reduce((sum, agent) => sum + heldBy(agent), tally.holds)
  for (;;) {
    const passed = (performance.now() - startedMs) / 1000
    if (passed > seconds && (passed > 5 * seconds || holds() >= holdsMin)) break
    await sleep(300 + 500 * random())
    const at = Math.floor(random() * agents)
    const agent = running[at]
    switch (['kill', 'freeze', 'freeze', 'drop', 'drop', 'restart'][Math.floor(random() * 6)]) {
      case 'kill':
        tally.kills++
        agent?.kill('SIGKILL')
        break
      case 'freeze':
        tally.freezes++
        agent?.kill('SIGSTOP')
        setTimeout(() => agent?.kill('SIGCONT'), random() * attackExpiryMs * 1.5)
        break
      case 'drop':
        tally.drops += await drop(fleet)
        break
      case 'restart':
        if (random() < 0.3) tally.restarts += await restart(fleet, random() < 0.5)
    }
    for (const [place, one] of running.entries()) {
      const end = await Promise.race([one.ended, Promise.resolve(null)])
      if (end === null) continue
      tally.holds += heldBy(one)
      tally.inGap += messagesOf(one).some(({ frozen }) => frozen !== undefined) ? 1 : 0
      if (end.signal === null) ended.push(`${end.code}: ${end.stderr.slice(-500)}`)
      running[place] = begin(place)
    }
  }
  return { ...tally, holds: holds(), mostAtOnce: await scene.mostAtOnce(), ended }
}

/** Ends a connection of an agent, as a firewall would. */
async function drop({ database, cluster }: StormTerms['fleet']): Promise<number> {
  if (cluster === null) return 0
  const dropped = await database
    .query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`,
    )
    .catch(() => null)
  return dropped?.rowCount ?? 0
}

async function restart({ cluster }: StormTerms['fleet'], crash: boolean): Promise<number> {
  if (cluster === null) return 0
  await cluster.stop(crash ? 'crash' : 'fast')
  await cluster.serve()
  return 1
}
