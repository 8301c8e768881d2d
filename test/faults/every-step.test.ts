/**
 * Each step of a hold fails once, cold and warm, by a failure, a defect and an interruption: the tenant is served again
 * and nothing is left.
 */
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Held } from '../../src/hold/hold.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { Failure } from '../../src/model/failure.ts'
import { footprint, openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { descendantsOf, eventually } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

const steps: readonly HoldStep[] = [
  'preflight',
  'warm',
  'asked',
  'quiesced',
  'locked',
  'probed',
  'sealed',
  'proven',
  'copied',
  'proven-again',
  'probed-again',
  'released',
  'resumed',
  'kept',
]

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
  let place: HoldFixture
  let demo: Demo
  let freedom: UnlockedCheck
  let writer: Database.Database
  beforeAll(async () => {
    place = await openHoldFixture()
    demo = await startDemo({ tenants: 3, bytes: 20_000, load: 30, loaded: ['acme'] })
    freedom = await openUnlockedCheck()
    // Idle by the service's handle, WAL and wal-index in place: what a warm copy pins. `acme` has the service's own.
    writer = new Database(demo.fileOf('bolt'))
    writer.close()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  const tenant = temperature === 'warm' ? 'acme' : 'bolt'

  async function expectAllAsBefore(children: number): Promise<void> {
    await demo.servesAgain(tenant, 5_000)
    expect(await demo.service.leases(AbortSignal.timeout(5_000))).toEqual([])
    expect(await place.ledger.openHolds()).toEqual([])
    expect(place.remainingFiles()).toEqual([])
    expect(descendantsOf(process.pid).length).toBeLessThanOrEqual(children)
    if (tenant === 'bolt') await freedom.expect(demo.fileOf(tenant))
    // And the next hold goes through, on the same companions; warm as soon as the service has opened the tenant again.
    const refused: string[] = []
    await eventually(`a ${temperature} hold`, async () => {
      const held = await place.holdTenant(demo, tenant, { settings: { warmAboveBytes } })
      if (held.kind !== 'snapshot') return refused.push(held.failure.message)
      await held.snapshot[Symbol.asyncDispose]()
      return temperature === 'cold' || held.record.evidence.snapshot?.method === 'warm+tail'
    })
    expect(refused).toEqual([])
  }

  describe.each(faults)('in which $fault comes', ({ fault, thrown }) => {
    it.each(steps)('after "%s" ends with the tenant served and nothing left behind', async (at) => {
      const children = descendantsOf(process.pid).length
      const before = tenant === 'bolt' ? footprint(demo.fileOf(tenant)) : null
      let told: Error | null = null
      const ended: Held | Error = await place
        .holdTenant(demo, tenant, {
          settings: { warmAboveBytes },
          onStep: (step) => {
            if (step !== at || told) return
            told = thrown()
            throw told
          },
        })
        .catch((error: unknown) => error as Error)
      expect(told, 'the step was reached').not.toBeNull()
      if (fault === 'a defect') expect(ended).toBeInstanceOf(TypeError)
      else expect(ended instanceof Error ? ended : ended.kind).toMatch(/undecided|refused/)
      await expectAllAsBefore(children)
      if (before) expect(footprint(demo.fileOf(tenant))).toEqual(before)
    })
  })

  it.each(steps)('that is interrupted after "%s" resumes first', async (at) => {
    const children = descendantsOf(process.pid).length
    const interrupt = new AbortController()
    const ended = await place
      .holdTenant(demo, tenant, {
        settings: { warmAboveBytes },
        signal: interrupt.signal,
        onStep: (step) => {
          if (step === at) interrupt.abort(new Failure('INTERRUPTED', 'made by the test'))
        },
      })
      .catch((error: unknown) => error as Failure)
    if (ended instanceof Error) expect(ended).toMatchObject({ code: 'INTERRUPTED' })
    else {
      // Too late to stop anything: the copy was made already.
      expect(ended.kind).toBe('snapshot')
      if (ended.kind === 'snapshot') await ended.snapshot[Symbol.asyncDispose]()
    }
    await expectAllAsBefore(children)
  })
})
