/** A sample of system-calls.long.test.ts: some calls of some commands fail, chosen by the seed. */
import { describe, expect, it } from 'vitest'
import { randomFrom } from '../support/random.ts'
import { commands } from '../support/system-calls/commands.ts'
import type { Injection } from '../support/system-calls/injection.ts'
import { Planner } from '../support/system-calls/plan.ts'
import { openScene } from '../support/system-calls/scene.ts'
import { whyNotTraced } from '../support/system-calls/strace.ts'
import { survey } from '../support/system-calls/survey.ts'

const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)
const why = whyNotTraced()
const programs = 5
const callsOfEach = 6

const how = why === null ? `HOLDFAST_SEED=${seed}` : `not tried: ${why}`

describe.skipIf(why !== null)(`a system call fails (${how})`, () => {
  it('no command hangs, reports a defect or a false verdict, leaves a tenant paused or leaves files', async () => {
    const random = randomFrom(seed)
    const draw = <One>(list: readonly One[], many: number): readonly One[] =>
      list
        .map((one) => ({ one, at: random() }))
        .toSorted((a, b) => a.at - b.at)
        .slice(0, many)
        .map(({ one }) => one)
    const planner = new Planner()
    await using scene = await openScene()
    const drawn: Injection[] = []
    const each = commands.flatMap((command) => command.roles.map((role) => ({ ...command, roles: [role] })))
    for (const command of draw(each, programs)) {
      const { injections } = await planner.plan(scene, command)
      drawn.push(...draw(injections, callsOfEach))
    }
    const { wrong, trials, missed } = await survey(drawn)
    expect(wrong.join('\n\n')).toBe('')
    expect(missed).toBeLessThan(trials / 2)
  })
})
