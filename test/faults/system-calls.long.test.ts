/**
 * Every system call of every command fails once, with each errno that it can have. No command hangs, reports a defect
 * or a false verdict, leaves a tenant paused or leaves files. Takes about 25 minutes on two cores.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands } from '../support/system-calls/commands.ts'
import { Planner } from '../support/system-calls/plan.ts'
import { openScene, type Scene } from '../support/system-calls/scene.ts'
import { whyNotTraced } from '../support/system-calls/strace.ts'
import { survey } from '../support/system-calls/survey.ts'

const why = whyNotTraced()

describe.skipIf(why !== null)(`each system call fails once${why === null ? '' : ` (not tried: ${why})`}`, () => {
  let scene: Scene
  const planner = new Planner()
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  it.each(commands.map((command) => [command.name, command] as const))(
    'of `%s`',
    async (_, command) => {
      const { injections, unnamed } = await planner.plan(scene, command)
      expect([...unnamed], 'calls without an entry in errnos.ts').toEqual([])
      const { trials, missed, wrong } = await survey(injections)
      expect(wrong.join('\n\n')).toBe('')
      expect(missed, `planned calls that were not reached, of ${trials}`).toBeLessThan(10 + trials / 10)
    },
    30 * 60_000,
  )
})
