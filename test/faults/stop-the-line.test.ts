/** A failure that must stop the run (runs/stop-the-line.ts) stops it before another tenant is paused. */
import { readdirSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { startHoldProcesses } from '../../src/hold/hold-processes.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { pathOf } from '../../src/host/files/descriptor.ts'
import { unlock } from '../../src/host/locks/byte-lock.ts'
import { lockBytes } from '../../src/sqlite/lock-bytes.ts'
import { useHold } from '../support/hold-set-up.ts'
import { openHoldFixture, type RunOutcome } from '../support/hold/hold-fixture.ts'
import { descendantsRunning } from '../support/processes.ts'
import { startDemo } from '../support/service/demo-service.ts'

const three = ['acme', 'bolt', 'crate']

describe('the run stops, and no other tenant is paused', () => {
  const hold = useHold({ tenants: 3, bytes: 20_000 })

  /** Tenants that the service was asked to quiesce. The first, which may be any of the three, meets the failure. */
  const asked: string[] = []
  beforeEach(() => void asked.splice(0))
  const watching =
    (meets: (step: HoldStep, of: string) => void) =>
    (step: HoldStep, of: string): void => {
      if (step === 'asked') asked.push(of)
      if (of === asked[0]) meets(step, of)
    }
  const outcome = ({ results, stopped, covered, notCovered, open }: RunOutcome): unknown => ({
    results: results.map(({ tenant, failure }) => [tenant, failure?.code, failure?.tenantState]),
    stops: stopped?.code,
    covered,
    notCovered,
    open: open.map(({ tenant }) => tenant),
    asked: asked.length,
  })
  const allServe = async (): Promise<void> => {
    for (const tenant of three) {
      expect((await hold.demo.status(tenant)).state).toBe('active')
      await hold.expectUnlocked(hold.demo.fileOf(tenant))
    }
    expect(hold.fixture.remainingFiles()).toEqual([])
  }

  it.each(['locked', 'copied'] as const)(
    'when our lock is lost after "%s", and a second process gets it',
    async (at) => {
      const through = await hold.fixture.examineAll(hold.demo, three, {
        onStep: watching((step, of) => {
          if (step === at) dropLocksOn(hold.demo.fileOf(of))
        }),
      })
      expect(outcome(through)).toEqual({
        results: [[asked[0], 'LOCK_NOT_HONOURED', 'active']],
        stops: 'LOCK_NOT_HONOURED',
        covered: 1,
        notCovered: 2,
        open: [],
        asked: 1,
      })
      await allServe()
    },
  )

  it('when a tenant is not seen serving again, even if the ledger cannot be written at that moment', async () => {
    await using service = await startDemo({ tenants: 3, bytes: 20_000, misbehave: 'unhealthy-after-resume' })
    const through = await hold.fixture.examineAll(service, three, {
      onStep: watching(() => undefined),
      unwritten: ({ kind }) => kind === 'resume-failed',
    })
    expect(outcome(through)).toEqual({
      results: [[asked[0], 'RESUME_FAILED', 'maybe-paused']],
      stops: 'RESUME_FAILED',
      covered: 1,
      notCovered: 2,
      open: [asked[0]],
      asked: 1,
    })
  })

  it('when there is a defect in holdfast itself', async () => {
    const meets = watching((step) => {
      if (step === 'copied') throw new TypeError('made by the test')
    })
    await expect(hold.fixture.examineAll(hold.demo, three, { onStep: meets })).rejects.toThrow('made by the test')
    expect(asked).toHaveLength(1)
    await allServe()
  })

  it('when the guardian is gone', async () => {
    const others = new Set(guardians())
    await using processes = await startHoldProcesses()
    const [guardian] = guardians().filter((pid) => !others.has(pid))
    const through = await hold.fixture.examineAll(hold.demo, three, {
      processes,
      onStep: watching((step) => {
        if (step === 'resumed') process.kill(guardian ?? 0, 'SIGKILL')
      }),
    })
    expect(through).toMatchObject({ stopped: { code: 'GUARDIAN_LOST' } })
    expect(through.results.filter(({ failure }) => failure?.code === 'GUARDIAN_LOST').length).toBeLessThanOrEqual(1)
    expect(through.results.length + through.notCovered).toBe(3)
    expect(asked.length).toBeLessThan(3)
    await allServe()
  })
})

it('four lost leases stop a run: the service does not keep its promise', async () => {
  await using fixture = await openHoldFixture()
  await using demo = await startDemo({ tenants: 8, bytes: 20_000, misbehave: 'lease-expires' })
  const { results, stopped, notCovered, open } = await fixture.examineAll(demo, demo.tenants)
  expect(stopped).toMatchObject({
    code: 'LEASE_LOST',
    message: expect.stringMatching(/^4 leases ended before holdfast ended the pauses/) as string,
  })
  // When the fourth is reported, the next hold may have begun.
  expect([results.length + notCovered, open]).toEqual([8, []])
  expect(results.length).toBeLessThanOrEqual(6)
  for (const { failure } of results) expect(['LEASE_LOST', 'INTERRUPTED']).toContain(failure?.code)
  for (const tenant of demo.tenants) expect((await demo.status(tenant)).state).toBe('active')
})

/** Like a mount whose locks have no effect, or a library that drops them (F1). This process has the locks. */
function dropLocksOn(file: string): void {
  const descriptors = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((number) => leadsTo(number, file))
  expect(descriptors).not.toEqual([])
  for (const descriptor of descriptors) unlock(descriptor, lockBytes.all)
}

function leadsTo(descriptor: number, file: string): boolean {
  try {
    return pathOf(descriptor) === file
  } catch {
    return false // The descriptor of the listing itself is closed again.
  }
}

const guardians = (): readonly number[] => descendantsRunning(process.pid, 'guardian-child')
