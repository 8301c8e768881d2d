/** kill -9 of a real sweep at any moment, under load (hold.md, "we are killed"). */
import { describe, expect, it } from 'vitest'
import { configure, type Holdfast } from '../support/holdfast.ts'
import { commandOf, descendantsOf, eventually, isRunning } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service.ts'

const ttlMs = 1_000
/** What the gate may take to open a tenant again on a busy machine, after the lease has ended. */
const reopenMs = 1_500
const services = [{ number: 0, warmAbove: '0B', maxPaused: 1 }, { number: 1, warmAbove: '0B', maxPaused: 3 }, { number: 2, warmAbove: '8MB', maxPaused: 2 }] as const
const kills = 17

const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)

describe(`kill -9 of a sweep under load, ${services.length * kills} times at random moments (HOLDFAST_SEED=${seed})`, () => {
  it.concurrent.each(services)('harms no tenant of service $number: all serve again within the TTL, no write is lost, the next run clears up', async ({ number, warmAbove, maxPaused }) => {
    const random = randomFrom(seed + number)
    await using demo = await startDemo({ tenants: 5, bytes: 20_000, load: 60, maxPaused: 4 })
    const startedAt = performance.now()
    expect((await sweepPatiently(demo)).report.summary).toMatchObject({ sound: 5, exitCode: 0 })
    const wholeMs = performance.now() - startedAt
    const holdfast = configure(demo, { hold: `{ ttl: ${ttlMs}ms, drainTimeout: 500ms, maxPause: 1s, maxPaused: ${maxPaused}, warmAbove: ${warmAbove} }` })
    let paused = 0
    for (let time = 0; time < kills; time++) {
      // Every other blow falls within milliseconds of a quiesce: most of a run is start and check, which nobody's tenant feels.
      const moment = time % 2 === 0 ? sleep(random() * wholeMs) : firstLease(demo, wholeMs).then(() => sleep(random() * 12))
      if (await killAt(moment, demo, holdfast)) paused++
    }

    const last = await sweepPatiently(demo)
    expect(last.report.results.map(({ verdict, failure }) => failure?.message ?? verdict), last.stderr).toEqual(Array(5).fill('sound'))
    expect(last.code).toBe(0)
    expect(holdfast.leftovers()).toEqual([])
    expect((await holdfast.run('resume', '--all')).stdout).toMatch(/no hold stands open/)
    expect(await demo.stopAndVerify()).toBeGreaterThan(0)
    expect(paused, 'kills that met a paused tenant').toBeGreaterThan(kills / 6)
  }, 180_000)
})

describe('a hold that a kill left open is resumed at once, long before its lease ends', () => {
  const resumers = [['`resume --all`', ['resume', '--all']], ['the next run, over another tenant', ['check', '--tenant', 'bolt', '--quiet']]] as const
  it.concurrent.each(resumers)('by %s', async (_, args) => {
    // Copied whole while it stands still: long enough to be met.
    await using demo = await startDemo({ tenants: 2, bytes: 20_000_000 })
    const holdfast = configure(demo, { hold: '{ ttl: 60s, maxPause: 5s, warmAbove: 1GB }' })
    await eventually('a kill that met the paused tenant', async () => {
      await using check = holdfast.start('check', '--tenant', 'acme', '--quiet')
      await firstLease(demo, 10_000)
      check.kill('SIGKILL')
      await check.ended
      return (await demo.service.leases(AbortSignal.timeout(5_000))).length > 0
    })
    expect((await demo.status('acme')).state).toBe('quiesced')
    const ran = await holdfast.run(...args)
    expect(ran.code, ran.stderr).toBe(0)
    expect(await demo.service.leases(AbortSignal.timeout(5_000))).toEqual([])
    await demo.servesAgain('acme', 1_000)
    expect((await holdfast.run('resume', '--all')).stdout).toMatch(/no hold stands open/)
    await demo.stopAndVerify()
  }, 60_000)
})

/** With the same ledger and snapshots. Where nobody is killed, a slow machine is no fault. */
const sweepPatiently = (demo: Demo): ReturnType<Holdfast['sweep']> => configure(demo, { hold: '{ ttl: 20s, drainTimeout: 10s }' }).sweep()

const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

async function firstLease(demo: Demo, mostMs: number): Promise<void> {
  const until = performance.now() + 2 * mostMs
  while (performance.now() < until && (await demo.service.leases(AbortSignal.timeout(5_000))).length === 0) await sleep(3)
}

/** @returns whether a tenant was paused when the blow fell */
async function killAt(moment: Promise<void>, demo: Demo, holdfast: Holdfast): Promise<boolean> {
  await using sweep = holdfast.start('sweep', '--quiet')
  await Promise.race([moment, sweep.ended])
  const children = descendantsOf(sweep.pid)
  sweep.kill('SIGKILL')
  await sweep.ended
  const killedAt = performance.now()
  const leases = await demo.service.leases(AbortSignal.timeout(5_000))
  while ((await demo.service.leases(AbortSignal.timeout(5_000))).length > 0 && performance.now() - killedAt < ttlMs) await sleep(20)
  await Promise.all(demo.tenants.map((tenant) => demo.servesAgain(tenant, ttlMs + reopenMs - (performance.now() - killedAt))))
  for (const { pid, command } of children) await eventually(`${command} has ended`, () => !isRunning(pid) || commandOf(pid) !== command, 3_000)
  return leases.length > 0
}

/** Mulberry32: the same seed, the same moments. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
