/** A real sweep is killed (SIGKILL) at random moments, under load (hold/README.md, "we are killed"). */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { configure, type Holdfast } from '../support/cli/holdfast.ts'
import { openScriptedService, overlapsIn, type ScriptedService } from '../support/cli/scripted-service.ts'
import {
  commandOfPid,
  descendantsOf,
  descendantsRunning,
  eventually,
  isRunning,
  type Program,
} from '../support/processes.ts'
import { randomFrom } from '../support/random.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

/** A tenant must serve this long after the kill. Leases last 30 s, and pauses by hooks have none. */
const servesWithinMs = 10_000
const services = [
  { number: 0, warmAbove: '0B', maxPaused: 1 },
  { number: 1, warmAbove: '8MB', maxPaused: 3 },
] as const
const kills = 13

const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)

describe(
  'SIGKILL of a sweep by the admin API, under load, ' +
    `${services.length * kills} times at random moments ` +
    `(HOLDFAST_SEED=${seed})`,
  () => {
    it.concurrent.each(services)(
      'harms no tenant of service $number: all serve again within 10 s, no write is lost, nothing is left',
      async ({ number, warmAbove, maxPaused }) => {
        const random = randomFrom(seed + number)
        await using demo = await startDemo({ tenants: 5, bytes: 20_000, load: 60, maxPaused: 4 })
        const wholeMs = await timeOf(async () =>
          expect((await sweepWithLongLimits(demo)).report.summary).toMatchObject({ sound: 5, exitCode: 0 }),
        )
        const holdfast = configure(demo, {
          hold: `{ ttl: 30s, drainTimeout: 500ms, maxPause: 1s, maxPaused: ${maxPaused}, warmAbove: ${warmAbove} }`,
        })
        let paused = 0
        const killsMax = 3 * kills // Until enough of them met a paused tenant.
        for (let time = 0; time < kills || (paused <= kills / 6 && time < killsMax); time++) {
          // Every second kill comes within milliseconds of a quiesce, because no tenant is paused most of the time.
          const moment =
            time % 2 === 0 ? sleep(random() * wholeMs) : firstLease(demo, wholeMs).then(() => sleep(random() * 12))
          if (await killAt(moment, demo, holdfast, servesWithinMs)) paused++
        }

        expect(JSON.parse((await holdfast.run('status', '--json')).stdout)).toMatchObject({ openHolds: [] })
        const last = await sweepWithLongLimits(demo)
        expect(
          last.report.results.map(({ verdict, failure }) => failure?.message ?? verdict),
          last.stderr,
        ).toEqual(Array(5).fill('sound'))
        expect(last.code).toBe(0)
        expect(holdfast.snapshotsLeft()).toEqual([])
        expect((await holdfast.run('resume', '--all')).stdout).toMatch(/no hold is open/)
        expect(await demo.stopAndVerify()).toBeGreaterThan(0)
        expect(paused, 'kills that met a paused tenant').toBeGreaterThan(kills / 6)
      },
    )

    it('of a run whose guardian was killed first: the lease ends the pause', async () => {
      const ttlMs = 1_000
      const reopenMs = 1_500 // On a busy machine.
      await using demo = await startDemo({ tenants: 2, bytes: 20_000 })
      const holdfast = configure(demo, { hold: `{ ttl: ${ttlMs}ms, drainTimeout: 500ms, maxPause: 1s }` })
      for (let time = 0; time < 3; time++)
        await killAt(firstLease(demo, 5_000), demo, holdfast, ttlMs + reopenMs, killGuardian)
      expect((await sweepWithLongLimits(demo)).code).toBe(0)
    })
  },
)

const title = `SIGKILL of a sweep by hooks, ${services.length * kills} times at random moments`
describe(`${title} (HOLDFAST_SEED=${seed})`, () => {
  const tenants = ['acme', 'bolt', 'crate']

  it.concurrent.each(services)(
    'leaves no tenant of service $number paused: all serve again within 10 s, no two ' +
      'commands of a tenant run at the same time, nothing is left',
    async ({ number, maxPaused }) => {
      const random = randomFrom(seed + 10 + number)
      using service = openScriptedService({
        tenants,
        pause: 'sleep .04; touch "state/$2"; sleep .04',
        resume: 'sleep .08',
        maxPaused,
      })
      const wholeMs = await timeOf(async () => expect((await service.run('sweep', '--quiet')).code).toBe(0))
      let met = 0
      for (let time = 0; time < kills; time++) {
        const before = service.commandEvents().length
        // The start takes half of a run.
        const moment =
          time % 2 === 0
            ? sleep(random() * wholeMs)
            : firstCommand(service, before).then(() => sleep(random() * wholeMs * 0.5))
        await killScripted(moment, service)
        if (service.commandEvents().length > before) met++
        await eventually('every tenant serves', () => service.paused().length === 0, servesWithinMs)
        await eventually('nothing is left', () => service.leftRunning().length === 0)
        expect(overlapsIn(service.commandEvents())).toEqual([])
        expect(service.paused()).toEqual([])
      }
      expect(JSON.parse((await service.run('status', '--json')).stdout)).toMatchObject({ openHolds: [] })
      expect((await service.run('sweep', '--quiet')).code).toBe(0)
      expect(met, 'kills of a run that had paused a tenant').toBeGreaterThan(kills / 4)
    },
  )

  it('of a run whose guardian was killed first: the next run ends the pause', async () => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .2', resume: 'sleep .1' })
    for (let time = 0; time < 2; time++) {
      await killScripted(
        firstCommand(service, service.commandEvents().length).then(() => sleep(100)),
        service,
        killGuardian,
      )
      expect((await service.run('sweep', '--quiet')).code).toBe(0)
      expect(service.paused()).toEqual([])
      expect(overlapsIn(service.commandEvents())).toEqual([])
    }
  })
})

describe('a hold that a kill of run and guardian left open is resumed long before its lease ends', () => {
  const resumers = [
    ['`resume --all`', ['resume', '--all']],
    ['the next run, over another tenant', ['check', '--tenant', 'bolt', '--quiet']],
  ] as const
  it.concurrent.each(resumers)('by %s', async (_, args) => {
    // Copied as a whole during the pause, which is long enough for the kill.
    await using demo = await startDemo({ tenants: 2, bytes: 20_000_000 })
    const holdfast = configure(demo, { hold: '{ ttl: 60s, maxPause: 5s, warmAbove: 1GB }' })
    await eventually('a kill that met the paused tenant', async () => {
      await using check = holdfast.start('check', '--tenant', 'acme', '--quiet')
      await firstLease(demo, 10_000)
      killGuardian(check)
      check.kill('SIGKILL')
      await check.ended
      return (await demo.service.leases(AbortSignal.timeout(60_000))).length > 0
    })
    expect((await demo.status('acme')).state).toBe('quiesced')
    const ran = await holdfast.run(...args)
    expect(ran.code, ran.stderr).toBe(0)
    expect(await demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
    await demo.servesAgain('acme', 10_000)
    expect((await holdfast.run('resume', '--all')).stdout).toMatch(/no hold is open/)
    await demo.stopAndVerify()
  })
})

/** Uses the same ledger and snapshots, with long limits for a slow machine. */
const sweepWithLongLimits = (demo: Demo): ReturnType<Holdfast['sweep']> =>
  configure(demo, { hold: '{ ttl: 20s, drainTimeout: 10s }' }).sweep()

async function firstLease(demo: Demo, mostMs: number): Promise<void> {
  const until = performance.now() + 2 * mostMs
  while (performance.now() < until && (await demo.service.leases(AbortSignal.timeout(60_000))).length === 0)
    await sleep(3)
}

async function firstCommand(service: ScriptedService, before: number): Promise<void> {
  await eventually('a command has begun', () => service.commandEvents().length > before)
}

const timeOf = async (work: () => Promise<void>): Promise<number> => {
  const beganAt = performance.now()
  await work()
  return performance.now() - beganAt
}

type KillPreparation = (run: Program) => void

function killGuardian(run: Program): void {
  for (const pid of descendantsRunning(run.pid, 'guardian-child')) process.kill(pid, 'SIGKILL')
}

/** @returns whether a tenant was paused at the kill */
async function killAt(
  moment: Promise<void>,
  demo: Demo,
  holdfast: Holdfast,
  withinMs: number,
  beforeKill: KillPreparation = () => undefined,
): Promise<boolean> {
  await using sweep = holdfast.start('sweep', '--quiet')
  await Promise.race([moment, sweep.ended])
  const children = descendantsOf(sweep.pid)
  beforeKill(sweep)
  sweep.kill('SIGKILL')
  const killedAt = performance.now()
  await sweep.ended
  const leases = await demo.service.leases(AbortSignal.timeout(60_000))
  await Promise.all(demo.tenants.map((tenant) => demo.servesAgain(tenant, withinMs - (performance.now() - killedAt))))
  expect(await demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
  for (const { pid, command } of children)
    await eventually(`${command} has ended`, () => !isRunning(pid) || commandOfPid(pid) !== command)
  return leases.length > 0
}

async function killScripted(
  moment: Promise<void>,
  service: ScriptedService,
  beforeKill: KillPreparation = () => undefined,
): Promise<void> {
  await using sweep = service.start('sweep', '--quiet')
  await Promise.race([moment, sweep.ended])
  beforeKill(sweep)
  sweep.kill('SIGKILL')
  await sweep.ended
}
