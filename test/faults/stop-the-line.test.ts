/**
 * What must stop a whole run (operations.md, Sweep): it does so before another tenant stands still. Three tenants or
 * more, one of which meets it.
 */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startHoldProcesses } from '../../src/hold/hold-processes.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { pathOf } from '../../src/host/files/descriptor.ts'
import { unlock } from '../../src/host/locks/byte-lock.ts'
import { lockBytes } from '../../src/sqlite/lock-bytes.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type RunOutcome, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { descendantsOf } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

const three = ['acme', 'bolt', 'crate']

describe('the run is stopped, and nobody else is paused', () => {
  let place: HoldFixture
  let demo: Demo
  let freedom: UnlockedCheck
  beforeAll(async () => {
    place = await openHoldFixture()
    demo = await startDemo({ tenants: 3, bytes: 20_000 })
    freedom = await openUnlockedCheck()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  /**
   * Tenants that a hold asked the service to keep still. Which of the three is the first is not settled: that one meets
   * it.
   */
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
      expect((await demo.status(tenant)).state).toBe('active')
      await freedom.expect(demo.fileOf(tenant))
    }
    expect(place.remainingFiles()).toEqual([])
  }

  it.each(['locked', 'copied'] as const)(
    'when a lock of ours is not there any more after "%s", and a second process is let in',
    async (at) => {
      const through = await place.examineAll(demo, three, {
        onStep: watching((step, of) => {
          if (step === at) dropLocksOn(demo.fileOf(of))
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

  it('when a tenant is not seen serving again, though the ledger cannot be written just then', async () => {
    await using service = await startDemo({ tenants: 3, bytes: 20_000, misbehave: 'unhealthy-after-resume' })
    const through = await place.examineAll(service, three, {
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

  it('when there is a defect in holdfast itself, which ends the run', async () => {
    const meets = watching((step) => {
      if (step === 'copied') throw new TypeError('made by the test')
    })
    await expect(place.examineAll(demo, three, { onStep: meets })).rejects.toThrow('made by the test')
    expect(asked).toHaveLength(1)
    await allServe()
  })

  it('when the guardian is gone', async () => {
    const others = new Set(guardians())
    await using companions = await startHoldProcesses()
    const [guardian] = guardians().filter((pid) => !others.has(pid))
    const through = await place.examineAll(demo, three, {
      processes: companions,
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

it('one lost lease after the other stops a run: the service does not keep its promise to stand still', async () => {
  await using place = await openHoldFixture()
  await using demo = await startDemo({ tenants: 8, bytes: 20_000, misbehave: 'lease-expires' })
  const { results, stopped, notCovered, open } = await place.examineAll(demo, demo.tenants)
  expect(stopped).toMatchObject({
    code: 'LEASE_LOST',
    message: expect.stringMatching(/^4 leases ended before holdfast ended the pauses/) as string,
  })
  // The fourth one is told when the next may be on its way.
  expect([results.length + notCovered, open]).toEqual([8, []])
  expect(results.length).toBeLessThanOrEqual(6)
  for (const { failure } of results) expect(['LEASE_LOST', 'INTERRUPTED']).toContain(failure?.code)
  for (const tenant of demo.tenants) expect((await demo.status(tenant)).state).toBe('active')
})

/**
 * As a mount whose locks hold nobody off, or a library that drops them (hold/README.md F1). This process is the holder.
 */
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
    return false // That of the listing itself is closed by now.
  }
}

const guardians = (): readonly number[] =>
  descendantsOf(process.pid).flatMap(({ pid, command }) => (command.includes('guardian-child') ? [pid] : []))
