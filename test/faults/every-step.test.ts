/**
 * Each step of a hold fails once, by a failure, a defect, a disk error and an interruption, with a cold and with a warm
 * copy. The tenant serves again and nothing is left.
 */
import { describe, expect, it } from 'vitest'
import type { HoldResult } from '../../src/hold/hold.ts'
import { Failure } from '../../src/model/failure.ts'
import { holdSteps, useHold } from '../support/hold-set-up.ts'
import { footprint } from '../support/hold/expect-unlocked.ts'
import { descendantsOf, eventually } from '../support/processes.ts'

const faults = [
  { fault: 'a failure', thrown: () => new Failure('IN_USE', 'made by the test') },
  { fault: 'a defect', thrown: () => new TypeError('made by the test') },
  {
    fault: 'a disk error',
    thrown: () => Object.assign(new Error('EIO: made by the test'), { code: 'EIO', errno: -5 }),
  },
] as const

describe.each([
  ['cold', 1e9],
  ['warm', 0],
] as const)('a %s hold', (temperature, warmAboveBytes) => {
  const hold = useHold({ tenants: 3, bytes: 20_000, load: 30, loaded: ['acme'] })

  /** The service writes to `acme`, which a warm copy needs, and has not opened `bolt`. */
  const tenant = temperature === 'warm' ? 'acme' : 'bolt'

  async function expectAllAsBefore(children: number): Promise<void> {
    await hold.demo.servesAgain(tenant, 5_000)
    expect(await hold.demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
    expect(await hold.fixture.ledger.openHolds()).toEqual([])
    expect(hold.fixture.remainingFiles()).toEqual([])
    expect(descendantsOf(process.pid).length).toBeLessThanOrEqual(children)
    if (tenant === 'bolt') await hold.expectUnlocked(hold.demo.fileOf(tenant))
    // The next hold succeeds, with the same processes. It is warm once the service has opened the tenant again.
    const refused: string[] = []
    await eventually(`a ${temperature} hold`, async () => {
      const held = await hold.fixture.holdTenant(hold.demo, tenant, { settings: { warmAboveBytes } })
      if (held.kind !== 'snapshot') return refused.push(held.failure.message)
      await held.snapshot[Symbol.asyncDispose]()
      return temperature === 'cold' || held.record.evidence.snapshot?.method === 'warm+tail'
    })
    expect(refused).toEqual([])
  }

  describe.each(faults)('that meets $fault', ({ fault, thrown }) => {
    it.each(holdSteps)('after "%s" ends with the tenant serving and nothing left', async (at) => {
      const children = descendantsOf(process.pid).length
      const before = tenant === 'bolt' ? footprint(hold.demo.fileOf(tenant)) : null
      let raised: Error | null = null
      const ended: HoldResult | Error = await hold.fixture
        .holdTenant(hold.demo, tenant, {
          settings: { warmAboveBytes },
          onStep: (step) => {
            if (step !== at || raised) return
            raised = thrown()
            throw raised
          },
        })
        .catch((error: unknown) => error as Error)
      expect(raised, 'the step was reached').not.toBeNull()
      if (fault === 'a defect') expect(ended).toBeInstanceOf(TypeError)
      else expect(ended instanceof Error ? ended : ended.kind).toMatch(/undecided|refused/)
      await expectAllAsBefore(children)
      if (before) expect(footprint(hold.demo.fileOf(tenant))).toEqual(before)
    })
  })

  it.each(holdSteps)('that is interrupted after "%s" resumes the tenant first', async (at) => {
    const children = descendantsOf(process.pid).length
    const interrupt = new AbortController()
    const ended = await hold.fixture
      .holdTenant(hold.demo, tenant, {
        settings: { warmAboveBytes },
        signal: interrupt.signal,
        onStep: (step) => {
          if (step === at) interrupt.abort(new Failure('INTERRUPTED', 'made by the test'))
        },
      })
      .catch((error: unknown) => error as Failure)
    if (ended instanceof Error) expect(ended).toMatchObject({ code: 'INTERRUPTED' })
    else {
      // The interruption came after the copy, so there is nothing to stop.
      expect(ended.kind).toBe('snapshot')
      if (ended.kind === 'snapshot') await ended.snapshot[Symbol.asyncDispose]()
    }
    await expectAllAsBefore(children)
  })
})
