/**
 * Attacks on the limit, each with its defence off, when it must succeed, and on. The service itself counts who stands
 * still. The limit of each service is one tenant. The attacks run beside each other, because each waits for an expiry.
 */
import { expect, test } from 'vitest'
import { setPauseLimits } from '../../../src/fleet/pause/slot-watch.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { attackExpiryMs, type AgentOptions } from '../../support/fleet/pause/agent-options.ts'
import { messagesOf, openAttackScene, PlainAgent, startWatch } from '../../support/fleet/pause/attack-scene.ts'
import { eventually, isRunning } from '../../support/processes.ts'

const timeoutMs = attackExpiryMs + 60_000

type Defences = AgentOptions['defences']

eachDatabase((fleet: FleetUnderTest) => {
  const attacks: Readonly<Record<string, () => Promise<number>>> = {
    'it freezes before its last look at the clock, which it does not take': () => freezeAgent('taken', ['guardian']),
    'it freezes before its last look at the clock': () => freezeAgent('taken', ['window', 'guardian']),
    'it freezes after its last look, and no guardian watches': () => freezeAgent('asked', []),
    'it freezes after its last look': () => freezeAgent('asked', ['window', 'guardian']),
    'the service sleeps, and its gate does not look who is still there': () => asleep(true),
    'the service sleeps': () => asleep(false),
  }

  test(
    'whoever freezes longer than the expiry, no more tenants stand still than allowed, unless a defence is off',
    async () => {
      await setPauseLimits(fleet.database, { fleet: 100, service: 1, domain: 100 })
      const outcomes = await Promise.allSettled(Object.values(attacks).map((attack) => attack()))
      const most = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))
      expect(Object.fromEntries(Object.keys(attacks).map((name, at) => [name, most[at]]))).toEqual({
        'it freezes before its last look at the clock, which it does not take': 2,
        'it freezes before its last look at the clock': 1,
        'it freezes after its last look, and no guardian watches': 2,
        'it freezes after its last look': 1,
        'the service sleeps, and its gate does not look who is still there': 2,
        'the service sleeps': 1,
      })
    },
    2 * timeoutMs,
  )

  /** An agent freezes between its slot and its request, and wakes when another has the slot. */
  async function freezeAgent(freezeAt: NonNullable<AgentOptions['freezeAt']>, defences: Defences): Promise<number> {
    const name = `frozen-${freezeAt}-${defences.join('-')}`
    await using scene = await openAttackScene(name, 2)
    const { database, address } = fleet
    const agent = scene.agent({ database: address, host: name, holds: 100, tenants: ['t0'], freezeAt, defences })
    const asked = (): number => messagesOf(agent).filter(({ asks }) => asks !== undefined).length
    const hasHeld = (): boolean => messagesOf(agent).some(({ held }) => held !== undefined)
    await eventually('it is frozen', () => messagesOf(agent).some(({ frozen }) => frozen === freezeAt), timeoutMs)
    const askedBefore = asked()
    await using _watch = startWatch(database)
    await using other = new PlainAgent(database, name, scene.socket)
    await other.take(timeoutMs)
    const still = await other.pause('t1', timeoutMs)
    const wasKilled = !isRunning(agent.pid)
    agent.kill('SIGCONT')
    const hasGoneOn = (): boolean => wasKilled || hasHeld() || asked() > askedBefore
    await eventually('it has gone on', hasGoneOn, timeoutMs)
    await still[Symbol.asyncDispose]()
    expect(wasKilled).toBe(freezeAt === 'asked' && defences.includes('guardian'))
    return await scene.mostAtOnce()
  }

  /** A service wakes and reads a request that was given up, and one of an agent that has got the slot since. */
  async function asleep(blind: boolean): Promise<number> {
    const name = `asleep-${blind}`
    await using scene = await openAttackScene(name, 2, blind)
    const { database } = fleet
    await using first = new PlainAgent(database, name, scene.socket)
    await first.take(timeoutMs)
    scene.service.kill('SIGSTOP')
    await expect(first.pause('t0', 500)).rejects.toThrow() // It gives up. Its slot is in doubt, and stays.
    await using _watch = startWatch(database)
    await using second = new PlainAgent(database, name, scene.socket)
    await second.take(timeoutMs)
    const pausing = second.pause('t1', timeoutMs)
    scene.service.kill('SIGCONT')
    await (await pausing)[Symbol.asyncDispose]()
    return await scene.mostAtOnce()
  }
})
