/** During a hold the probe or the guardian dies, or a second run of holdfast works on the same service. */
import { describe, expect, it } from 'vitest'
import { startHoldProcesses } from '../../src/hold/hold-processes.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { configure } from '../support/cli/holdfast.ts'
import { useHold } from '../support/hold-set-up.ts'
import { descendantsRunning, eventually, isRunning } from '../support/processes.ts'
import { startDemo } from '../support/service/demo-service.ts'

/** Pids of our children that run this program. Pids start again after 32,768, so the largest is not the newest. */
const pidsOf = (program: string): readonly number[] => descendantsRunning(process.pid, program)

function onlyOneOf(pids: readonly number[], others: readonly number[]): number {
  const [pid, ...more] = pids.filter((one) => !others.includes(one))
  if (pid === undefined || more.length > 0) throw new Error('not one new process')
  return pid
}

const moments: readonly HoldStep[] = ['quiesced', 'sealed', 'copied', 'probed-again']

describe('in the middle of a hold', () => {
  const hold = useHold({ tenants: 1, bytes: 20_000 })

  it.each(moments)(
    'the probe is killed after "%s": its silence proves nothing, the tenant serves, the next hold has a new probe',
    async (at) => {
      const others = pidsOf('probe-child')
      await using processes = await startHoldProcesses()
      const probe = onlyOneOf(pidsOf('probe-child'), others)
      const { result, open } = await hold.fixture.examine(hold.demo, 'acme', {
        processes,
        onStep: (step) => {
          if (step === at) process.kill(probe, 'SIGKILL')
        },
      })
      expect(['sound', 'inconclusive']).toContain(result?.verdict)
      if (result?.verdict === 'inconclusive') expect(result.failure).toMatchObject({ tenantState: 'active' })
      expect(open).toEqual([])
      expect((await hold.demo.status('acme')).state).toBe('active')
      await hold.expectUnlocked(hold.demo.fileOf('acme'))
      expect((await hold.fixture.examine(hold.demo, 'acme', { processes })).result?.verdict).toBe('sound')
    },
  )

  it.each(['quiesced', 'copied'] as const)(
    'the probe is stopped after "%s": the pause ends when it must, and the next hold has a new probe',
    async (at) => {
      const others = pidsOf('probe-child')
      await using processes = await startHoldProcesses()
      const probe = onlyOneOf(pidsOf('probe-child'), others)
      let stopped = false
      const { result, open } = await hold.fixture.examine(hold.demo, 'acme', {
        processes,
        settings: { maxPauseMs: 1_000 },
        onStep: (step) => {
          if (step === at && !stopped) process.kill(probe, 'SIGSTOP')
          stopped ||= step === at
        },
      })
      expect(stopped).toBe(true)
      expect(result).toMatchObject({ failure: { code: 'TOO_LARGE_FOR_PAUSE', tenantState: 'active' } })
      expect(result?.timings.ranOutMs).toBeLessThan(3_000)
      expect(isRunning(probe), 'it tries nothing when the lock is released').toBe(false)
      expect(open).toEqual([])
      expect((await hold.demo.status('acme')).state).toBe('active')
      expect((await hold.fixture.examine(hold.demo, 'acme', { processes })).result?.verdict).toBe('sound')
    },
  )

  it.each(moments)(
    'the guardian is killed after "%s": this hold ends in order, and no hold begins without a guardian',
    async (at) => {
      const others = pidsOf('guardian-child')
      await using processes = await startHoldProcesses()
      const guardian = onlyOneOf(pidsOf('guardian-child'), others)
      await hold.fixture.examine(hold.demo, 'acme', {
        processes,
        onStep: (step) => {
          if (step === at) process.kill(guardian, 'SIGKILL')
        },
      })
      expect((await hold.demo.status('acme')).state).toBe('active')
      await hold.expectUnlocked(hold.demo.fileOf('acme'))
      await eventually('the guardian has ended', () => !isRunning(guardian))
      const next = await hold.fixture.examine(hold.demo, 'acme', { processes })
      expect(next).toMatchObject({
        stopped: { code: 'GUARDIAN_LOST' },
        result: { verdict: 'failed', failure: { code: 'GUARDIAN_LOST', tenantState: 'untouched' } },
      })
      expect(next.open).toEqual([])
    },
  )

  it(
    'a second run works on the same service, with its own ledger and the same snapshot folder: ' +
      'no tenant is harmed, and no report is false',
    async () => {
      await using demo = await startDemo({ tenants: 9, bytes: 60_000, load: 100, loaded: ['acme', 'bolt', 'crate'] })
      const terms = '{ ttl: 3s, drainTimeout: 500ms, maxPaused: 2, warmAbove: 0B }'
      const one = configure(demo, { name: 'one', hold: terms })
      const other = configure(demo, { name: 'other', hold: terms, snapshots: one.snapshots })
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
      for (const tenant of demo.tenants) await demo.servesAgain(tenant, 10_000)
      expect(await demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
      expect((await one.sweep()).code).toBe(0)
      expect(one.snapshotsLeft()).toEqual([])
      expect(await demo.stopAndVerify()).toBeGreaterThan(0)
    },
  )
})
