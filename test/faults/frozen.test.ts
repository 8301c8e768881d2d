/**
 * holdfast freezes (SIGSTOP, swapped out, stuck in I/O) at an exact step: a program of this test freezes itself there.
 * signals.test.ts freezes a whole run.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tenantName } from '../../scripts/demo/names.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { startNode } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('frozen (SIGSTOP) at the end of any step at which it holds something, holdfast', () => {
  const ttl = 1_500
  /** No tenant is paused during a warm copy, so no lease ends it: the heartbeat does (hold/seal/guardian.ts). */
  const heartbeatMs = 15_000
  /** Time for the guardian to act and for this test to notice, on a busy machine. */
  const slackMs = 4_000
  const frozen: readonly (readonly [HoldStep, 'warm' | 'cold'])[] = [
    ...(
      [
        'quiesced',
        'locked',
        'probed',
        'sealed',
        'proven',
        'copied',
        'proven-again',
        'probed-again',
        'released',
      ] as const
    ).map((step) => [step, 'cold'] as const),
    ...(['warm', 'quiesced', 'sealed', 'probed-again'] as const).map((step) => [step, 'warm'] as const),
  ]
  /** Every third tenant. The third of three has a rollback journal, which has no warm copy. */
  const tenantOf = (at: number): string => tenantName(at * 3)
  let demo: Demo
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    const loaded = frozen.flatMap(([, how], at) => (how === 'warm' ? [tenantOf(at)] : []))
    demo = await startDemo({ tenants: frozen.length * 3, bytes: 20_000, maxPaused: frozen.length, load: 60, loaded })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    const acknowledged = await demo.stopAndVerify()
    await demo[Symbol.asyncDispose]()
    expect(acknowledged).toBeGreaterThan(0)
  })

  it.concurrent.each(frozen)(
    'is killed by its guardian after "%s" (%s copy), and the tenant serves again (F13)',
    async (step, how) => {
      const tenant = tenantOf(frozen.findIndex(([at, also]) => at === step && also === how))
      const folder = join(demo.home, `frozen-${step}-${how}`)
      mkdirSync(folder, { mode: 0o700 })
      await using holder = startNode('test/support/programs/freezing.ts', [
        demo.socket,
        tenant,
        demo.fileOf(tenant),
        folder,
        step,
        how === 'warm' ? '0' : '1e9',
        String(ttl),
      ])
      expect(await holder.ready).toEqual({ frozen: step })
      const frozenAt = performance.now()
      const stderr = expect.stringContaining('the guardian has ended this run (SIGKILL)')
      expect(await holder.ended).toMatchObject({ code: null, signal: 'SIGKILL', stderr })
      expect(performance.now() - frozenAt).toBeLessThan((step === 'warm' ? heartbeatMs : ttl) + slackMs)
      await demo.servesAgain(tenant, 10_000)
      if (how === 'cold') await unlocked.expect(demo.fileOf(tenant)) // The service writes to the others again.
    },
  )
})
