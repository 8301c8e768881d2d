/**
 * The service dies or freezes in the middle of a hold: whether the tenant serves, nobody can say then, and that is said
 * loudest.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { damageIndex } from '../../scripts/demo/wounds.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import {
  openHoldFixture,
  type ExaminedTenant,
  type HoldOptions,
  type HoldFixture,
} from '../support/hold/hold-fixture.ts'
import { startNode, type Program } from '../support/processes.ts'
import { startDemo } from '../support/service/demo-service.ts'

describe('in the middle of a hold', () => {
  let place: HoldFixture
  let freedom: UnlockedCheck
  beforeAll(async () => {
    place = await openHoldFixture()
    freedom = await openUnlockedCheck()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  it.concurrent(
    'the service is killed: the tenant is called maybe-paused, exit ' +
      'code 4, the line stops, and the ledger remembers',
    async () => {
      await using demo = await startDemo({ tenants: 1, bytes: 20_000, requestTimeoutMs: 300 })
      const examined = await place.examine(demo, 'acme', {
        settings: { ttlMs: 1_000 },
        onStep: (step) => {
          if (step === 'copied') process.kill(demo.pid, 'SIGKILL')
        },
      })
      expect(examined).toMatchObject({
        exitCode: 4,
        stopped: { code: 'RESUME_FAILED' },
        result: { verdict: 'inconclusive', failure: { code: 'RESUME_FAILED', tenantState: 'maybe-paused' } },
      })
      expect(examined.open.length).toBe(1)
      await freedom.expect(demo.fileOf('acme'))
    },
  )

  it.concurrent(
    'the service is killed, and another process takes its place: the sealed snapshot is ' +
      'checked, what is not proven is said, the tenant serves, and the run goes on',
    async () => {
      await using demo = await startDemo({ tenants: 1, bytes: 20_000, requestTimeoutMs: 300 })
      let successor: Program | null = null
      try {
        const examined = await place.examine(demo, 'acme', {
          settings: { ttlMs: 20_000 },
          onStep: (step) => {
            if (step !== 'copied') return
            process.kill(demo.pid, 'SIGKILL')
            successor ??= startNode('scripts/demo/service.ts', [
              '--dir',
              demo.dir,
              '--socket',
              demo.socket,
              '--tenants',
              '1',
              '--size',
              '20000',
              '--load',
              '0',
              '--max-paused',
              '4',
              '--misbehave',
              '',
            ])
          },
        })
        expect(examined).toMatchObject({
          exitCode: 3,
          stopped: null,
          result: {
            verdict: 'inconclusive',
            reason: expect.stringMatching(/^nothing was found in the snapshot.*the pause is not proven/) as string,
            failure: { code: 'LEASE_LOST', tenantState: 'active' },
            evidence: { level: 'sealed', proofs: [{}, {}] },
          },
        })
        expect(examined.result?.coverage.pagesRead).toBeGreaterThan(0)
        expect(examined.open).toEqual([])
        expect((await demo.status('acme')).state).toBe('active')
        await freedom.expect(demo.fileOf('acme'))
        expect((await place.examine(demo, 'acme')).result?.verdict).toBe('sound')
      } finally {
        await (successor as Program | null)?.[Symbol.asyncDispose]()
      }
    },
  )

  /** Killed after the copy; `successor`: another process takes its place. */
  async function examineKilled(
    tenant: string,
    { successor, ...options }: HoldOptions & { readonly successor: boolean },
  ): Promise<ExaminedTenant> {
    await using demo = await startDemo({ tenants: 3, bytes: 20_000, requestTimeoutMs: 300 })
    damageIndex(demo.fileOf(tenant))
    const started: Program[] = []
    const examined = await place.examine(demo, tenant, {
      ...options,
      onStep: (step) => {
        if (step !== 'copied') return
        process.kill(demo.pid, 'SIGKILL')
        if (successor)
          started.push(
            startNode('scripts/demo/service.ts', [
              '--dir',
              demo.dir,
              '--socket',
              demo.socket,
              '--tenants',
              '3',
              '--size',
              '20000',
              '--load',
              '0',
              '--max-paused',
              '4',
              '--misbehave',
              '',
            ]),
          )
      },
    })
    for (const program of started) await program[Symbol.asyncDispose]()
    return examined
  }

  it.concurrent.each(['bolt', 'crate'])(
    'the service is killed over a damaged file: the verdict is had all the same (%s)',
    async (tenant) => {
      const examined = await examineKilled(tenant, { successor: true, settings: { ttlMs: 20_000 } })
      expect(examined).toMatchObject({
        exitCode: 2,
        stopped: null,
        open: [],
        result: {
          verdict: 'damaged',
          damage: 'index',
          failure: { code: 'LEASE_LOST', tenantState: 'active' },
          evidence: { level: 'sealed' },
        },
      })
    },
  )

  it.concurrent('and does not come back: the verdict is had, and the paused tenant is what counts', async () => {
    const examined = await examineKilled('crate', { successor: false, settings: { ttlMs: 1_000 } })
    expect(examined).toMatchObject({
      exitCode: 4,
      stopped: { code: 'RESUME_FAILED' },
      result: { verdict: 'damaged', failure: { code: 'RESUME_FAILED', tenantState: 'maybe-paused' } },
    })
    expect(examined.open.length).toBe(1)
  })

  it.concurrent('the service freezes: the same, and no lock of ours outlives it', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 20_000, requestTimeoutMs: 300 })
    const examined = await place.examine(demo, 'acme', {
      settings: { ttlMs: 1_000 },
      onStep: (step) => {
        if (step === 'sealed') process.kill(demo.pid, 'SIGSTOP')
      },
    })
    expect(examined).toMatchObject({
      exitCode: 4,
      stopped: { code: 'RESUME_FAILED' },
      result: { failure: { tenantState: 'maybe-paused' } },
    })
    await freedom.expect(demo.fileOf('acme'))
    process.kill(demo.pid, 'SIGCONT')
    await demo.servesAgain('acme', 2_000)
  })
})
