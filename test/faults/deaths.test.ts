/** Somebody else dies or gets in the way in the middle of a hold: the probe, the guardian, a second run of holdfast. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHoldProcesses } from '../../src/hold/hold-processes.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { configure } from '../support/cli/holdfast.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { descendantsOf, eventually, isRunning } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

/** Of our children that run this program. Pids begin anew at 32,768, so the greatest is not the newest. */
const pidsOf = (program: string): readonly number[] =>
  descendantsOf(process.pid).flatMap(({ pid, command }) => (command.includes(program) ? [pid] : []))

function onlyOneOf(pids: readonly number[], others: readonly number[]): number {
  const [pid, ...more] = pids.filter((one) => !others.includes(one))
  if (pid === undefined || more.length > 0) throw new Error('not one new process')
  return pid
}

const moments: readonly HoldStep[] = ['quiesced', 'sealed', 'copied', 'probed-again']

describe('in the middle of a hold', () => {
  let place: HoldFixture
  let demo: Demo
  let freedom: UnlockedCheck
  beforeAll(async () => {
    place = await openHoldFixture()
    demo = await startDemo({ tenants: 1, bytes: 20_000 })
    freedom = await openUnlockedCheck()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  it.each(moments)(
    'the probe is killed after "%s": nothing is proven by silence, the tenant serves, the next hold has a new probe',
    async (at) => {
      const others = pidsOf('probe-child')
      await using companions = await startHoldProcesses()
      const probe = onlyOneOf(pidsOf('probe-child'), others)
      const { result, open } = await place.examine(demo, 'acme', {
        processes: companions,
        onStep: (step) => {
          if (step === at) process.kill(probe, 'SIGKILL')
        },
      })
      expect(['sound', 'inconclusive']).toContain(result?.verdict)
      if (result?.verdict === 'inconclusive') expect(result.failure).toMatchObject({ tenantState: 'active' })
      expect(open).toEqual([])
      expect((await demo.status('acme')).state).toBe('active')
      await freedom.expect(demo.fileOf('acme'))
      expect((await place.examine(demo, 'acme', { processes: companions })).result?.verdict).toBe('sound')
    },
  )

  it.each(moments)(
    'the guardian is killed after "%s": this hold ends in good order, and none begins without one',
    async (at) => {
      const others = pidsOf('guardian-child')
      await using companions = await startHoldProcesses()
      const guardian = onlyOneOf(pidsOf('guardian-child'), others)
      await place.examine(demo, 'acme', {
        processes: companions,
        onStep: (step) => {
          if (step === at) process.kill(guardian, 'SIGKILL')
        },
      })
      expect((await demo.status('acme')).state).toBe('active')
      await freedom.expect(demo.fileOf('acme'))
      await eventually('it has ended', () => !isRunning(guardian))
      const next = await place.examine(demo, 'acme', { processes: companions })
      expect(next).toMatchObject({
        stopped: { code: 'GUARDIAN_LOST' },
        result: { verdict: 'failed', failure: { code: 'GUARDIAN_LOST', tenantState: 'untouched' } },
      })
      expect(next.open).toEqual([])
    },
  )

  it(
    'a second run works on the same service, with a ledger of its own and the same ' +
      'snapshot folder: both are harmless, and neither says a false word',
    async () => {
      await using demo = await startDemo({ tenants: 9, bytes: 60_000, load: 100, loaded: ['acme', 'bolt', 'crate'] })
      const hold = '{ ttl: 3s, drainTimeout: 500ms, maxPaused: 2, warmAbove: 0B }'
      const one = configure(demo, { name: 'one', hold })
      const other = configure(demo, { name: 'other', hold, snapshots: one.snapshots })
      for (let time = 0; time < 3; time++) {
        const runs = await Promise.all([one.sweep(), other.sweep()])
        for (const { code, report, stderr } of runs) {
          expect([0, 1, 3, 75], stderr).toContain(code)
          expect(
            report.results
              .filter(({ verdict }) => verdict === 'damaged')
              .map(({ tenant, findings }) => ({ tenant, findings })),
          ).toEqual([])
          expect(report.results.filter(({ failure }) => failure?.tenantState === 'maybe-paused')).toEqual([])
        }
      }
      for (const tenant of demo.tenants) await demo.servesAgain(tenant, 1_000)
      expect(await demo.service.leases(AbortSignal.timeout(5_000))).toEqual([])
      expect((await one.sweep()).code).toBe(0)
      expect(one.leftovers()).toEqual([])
      expect(await demo.stopAndVerify()).toBeGreaterThan(0)
    },
  )
})
