/**
 * holdfast is frozen (SIGSTOP, swapped out, stuck in I/O): at each step exactly, because a program of the test freezes
 * itself there. With a whole run: signals.test.ts.
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
  /** Nobody is paused during a warm copy, so no lease ends it (hold/seal/guardian.ts). */
  const heartbeatMs = 15_000
  /** What the guardian may take, and the test to notice it, beside all others on a busy machine. */
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
  /**
   * Every third tenant of the demo keeps a rollback journal, which has no warm copy; nor has one that nobody writes to.
   */
  const tenantOf = (at: number): string => tenantName(at * 3)
  let demo: Demo
  let freedom: UnlockedCheck
  beforeAll(async () => {
    const loaded = frozen.flatMap(([, how], at) => (how === 'warm' ? [tenantOf(at)] : []))
    demo = await startDemo({ tenants: frozen.length * 3, bytes: 20_000, maxPaused: frozen.length, load: 60, loaded })
    freedom = await openUnlockedCheck()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    const acknowledged = await demo.stopAndVerify()
    await demo[Symbol.asyncDispose]()
    expect(acknowledged).toBeGreaterThan(0)
  })

  it.concurrent.each(frozen)(
    'is killed by its guardian after "%s" (%s), and the tenant serves again (F13)',
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
      expect(await holder.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
      expect(performance.now() - frozenAt).toBeLessThan((step === 'warm' ? heartbeatMs : ttl) + slackMs)
      await demo.servesAgain(tenant, 2_000)
      if (how === 'cold') await freedom.expect(demo.fileOf(tenant)) // The others are open again, and written to.
    },
  )
})
