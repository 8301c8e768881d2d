/** The service dies or freezes during a hold. Then the tenant may still be paused, and the report says so first. */
import { truncateSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { damageNotesIndex } from '../../scripts/demo/wounds.ts'
import { useHold } from '../support/hold-set-up.ts'
import type { ExaminedTenant, HoldOptions } from '../support/hold/hold-fixture.ts'
import { startNode, type Program } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('in the middle of a hold', () => {
  const hold = useHold(null)

  it.concurrent(
    'the service is killed: the tenant is reported maybe-paused with exit code 4, ' +
      'the run stops, and the ledger has an open hold',
    async () => {
      await using demo = await startDemo({ tenants: 1, bytes: 20_000, requestTimeoutMs: 300 })
      const examined = await hold.fixture.examine(demo, 'acme', {
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
      await hold.expectUnlocked(demo.fileOf('acme'))
    },
  )

  it.concurrent(
    'the service is killed, and another process takes its place: the sealed snapshot is checked, ' +
      'the report says what is not proven, the tenant serves, and the run continues',
    async () => {
      await using demo = await startDemo({ tenants: 1, bytes: 20_000, requestTimeoutMs: 300 })
      let successor: Program | null = null
      try {
        const examined = await hold.fixture.examine(demo, 'acme', {
          settings: { ttlMs: 20_000 },
          onStep: (step) => {
            if (step !== 'copied') return
            process.kill(demo.pid, 'SIGKILL')
            successor ??= startSuccessor(demo)
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
        await hold.expectUnlocked(demo.fileOf('acme'))
        expect((await hold.fixture.examine(demo, 'acme')).result?.verdict).toBe('sound')
      } finally {
        await (successor as Program | null)?.[Symbol.asyncDispose]()
      }
    },
  )

  /** Kills the service after the copy of a damaged tenant. With `successor` another process takes its place. */
  async function examineKilled(
    tenant: string,
    { successor, ...options }: HoldOptions & { readonly successor: boolean },
  ): Promise<ExaminedTenant> {
    await using demo = await startDemo({ tenants: 3, bytes: 20_000, requestTimeoutMs: 300 })
    damageNotesIndex(demo.fileOf(tenant))
    const started: Program[] = []
    const examined = await hold.fixture.examine(demo, tenant, {
      ...options,
      onStep: (step) => {
        if (step !== 'copied') return
        process.kill(demo.pid, 'SIGKILL')
        if (successor) started.push(startSuccessor(demo))
      },
    })
    for (const program of started) await program[Symbol.asyncDispose]()
    return examined
  }

  it.concurrent.each(['bolt', 'crate'])(
    'the service is killed during the hold of a damaged file: the report still has the verdict (%s)',
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

  it.concurrent('and does not come back: the report has the verdict, the exit code the paused tenant', async () => {
    const examined = await examineKilled('crate', { successor: false, settings: { ttlMs: 1_000 } })
    expect(examined).toMatchObject({
      exitCode: 4,
      stopped: { code: 'RESUME_FAILED' },
      result: { verdict: 'damaged', failure: { code: 'RESUME_FAILED', tenantState: 'maybe-paused' } },
    })
    expect(examined.open.length).toBe(1)
  })

  it.concurrent('and the file has a hole: the tenant is reported maybe-paused all the same', async () => {
    await using demo = await startDemo({ tenants: 3, bytes: 20_000, requestTimeoutMs: 300 })
    truncateSync(demo.fileOf('crate'), 64 << 20)
    const examined = await hold.fixture.examine(demo, 'crate', {
      settings: { ttlMs: 1_000 },
      onStep: (step) => {
        if (step === 'copied') process.kill(demo.pid, 'SIGKILL')
      },
    })
    expect(examined).toMatchObject({
      exitCode: 4,
      stopped: { code: 'RESUME_FAILED' },
      result: { failure: { code: 'RESUME_FAILED', tenantState: 'maybe-paused' } },
    })
    expect(examined.open.length).toBe(1)
  })

  it.concurrent('the service freezes: the tenant is reported maybe-paused, and none of our locks is left', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 20_000, requestTimeoutMs: 300 })
    const examined = await hold.fixture.examine(demo, 'acme', {
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
    await hold.expectUnlocked(demo.fileOf('acme'))
    process.kill(demo.pid, 'SIGCONT')
    await demo.servesAgain('acme', 10_000)
  })
})

/** Another process of the service, with the tenants that exist. */
const startSuccessor = ({ dir, socket }: Demo): Program =>
  startNode('scripts/demo/service.ts', ['--dir', dir, '--socket', socket])
