/** The levels of a seal: what each needs, what its evidence says, and locks that exclude no other process. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Probe } from '../../../src/hold/seal/probe.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { makeLyingLocks, noCompiler } from '../../support/hold/lying-locks.ts'
import { mount, whySkipped, whyNoMount } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { startDemo, type Demo } from '../../support/service/demo-service.ts'

const refused = { raw: 'refused', read: 'refused', write: 'refused' }
const noOverlay = whyNoMount('overlay')

describe('a seal', () => {
  let fixture: HoldFixture
  let demo: Demo
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    fixture = await openHoldFixture()
    // acme, bolt and delta keep a WAL, crate and fjord a rollback journal.
    demo = await startDemo({
      tenants: 6,
      bytes: 30_000,
      misbehave: 'keeps-handles:crate,keeps-handles:bolt,keeps-writing:delta',
    })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  it.each(['acme', 'fjord'])(
    'is "sealed" with both probes refused, leases on every file, and two proofs that agree (%s)',
    async (tenant) => {
      const { result } = await fixture.examine(demo, tenant)
      expect(result).toMatchObject({
        verdict: 'sound',
        evidence: {
          level: 'sealed',
          probe: { before: refused, after: refused },
          lease: { state: 'held' },
          holders: [],
          attempts: 1,
          quiesce: { continuous: true },
        },
      })
      const [first, second] = result?.evidence.proofs ?? []
      expect(first?.files).toEqual(second?.files)
      expect(first?.files.map(({ lease }) => lease)).toEqual(first?.files.map(() => 'write'))
      await unlocked.expect(demo.fileOf(tenant))
    },
  )

  it('is "exclusive" over an idle handle if the configuration allows that, and lists the holder', async () => {
    expect((await fixture.examine(demo, 'crate')).result).toMatchObject({
      verdict: 'inconclusive',
      failure: { code: 'CONTRACT_BROKEN' },
    })
    const { result } = await fixture.examine(demo, 'crate', { settings: { require: 'exclusive' } })
    expect(result).toMatchObject({
      verdict: 'sound',
      evidence: { level: 'exclusive', probe: { before: refused, after: refused }, lease: { state: 'refused' } },
    })
    expect(result?.evidence.holders.map(({ pid }) => pid)).toContain(demo.pid)
    await unlocked.expect(demo.fileOf('crate'))
  })

  it('is not even "exclusive" over a WAL handle, whose connection keeps its shared lock', async () => {
    expect((await fixture.examine(demo, 'bolt', { settings: { require: 'exclusive' } })).result).toMatchObject({
      verdict: 'inconclusive',
      failure: { code: 'CONTRACT_BROKEN', tenantState: 'active' },
    })
  })

  it.each([
    ['bolt', 0],
    ['bolt', 1e9],
    ['delta', 0],
    ['delta', 1e9],
  ] as const)(
    'is "writer-locked" over a WAL handle where that is allowed: readers stay, ' +
      'writers wait, and the copy is sound (%s, warm above %i bytes)',
    async (tenant, warmAboveBytes) => {
      const { result } = await fixture.examine(demo, tenant, { settings: { require: 'writer-locked', warmAboveBytes } })
      expect(result, result?.failure?.message).toMatchObject({
        verdict: 'sound',
        evidence: {
          level: 'writer-locked',
          probe: { before: { raw: 'refused', read: 'not-tried', write: 'refused' } },
        },
      })
      await unlocked.expect(demo.fileOf(tenant))
    },
  )

  it.skipIf(noOverlay !== null)(
    `is at most "exclusive" on an overlay, where a lease does not see every way to the file (F11)` +
      whySkipped(noOverlay),
    async () => {
      using overlay = mount('overlay', 0)
      const file = join(overlay.path, 'acme.db')
      copyFileSync(demo.fileOf('fjord'), file)
      expect((await fixture.examineBare(file)).result).toMatchObject({
        verdict: 'failed',
        failure: { code: 'LEASE_UNAVAILABLE' },
      })
      expect((await fixture.examineBare(file, { settings: { require: 'exclusive' } })).result).toMatchObject({
        verdict: 'sound',
        evidence: { level: 'exclusive', fileSystem: 'overlay' },
      })
    },
  )

  it.skipIf(noCompiler !== null)(
    `stops the whole run when every process is granted every lock${whySkipped(noCompiler)}`,
    async () => {
      using folder = temporaryFolder()
      await using probe = Probe.start({ LD_PRELOAD: makeLyingLocks(folder.path) })
      const processes = { probe, guardian: fixture.processes.guardian, [Symbol.asyncDispose]: () => Promise.resolve() }
      const examined = await fixture.examine(demo, 'acme', { processes })
      expect(examined).toMatchObject({
        exitCode: 3,
        stopped: { code: 'LOCK_NOT_HONOURED' },
        result: { verdict: 'inconclusive', failure: { code: 'LOCK_NOT_HONOURED', tenantState: 'active' } },
        open: [],
      })
      expect(fixture.remainingFiles()).toEqual([])
      await unlocked.expect(demo.fileOf('acme'))
    },
  )
})
