/**
 * Every system call of every command fails once, with each errno that it can have: no defect is told, nothing hangs,
 * nobody stays paused, no false word is said and nothing is left. Takes about 25 minutes on two cores.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands } from './system-calls/commands.ts'
import { openPlace, type Place } from './system-calls/place.ts'
import { Planner } from './system-calls/plan.ts'
import { whyNotTraced } from './system-calls/strace.ts'
import { survey } from './system-calls/survey.ts'

const why = whyNotTraced()

describe.skipIf(why !== null)(`each system call fails once${why === null ? '' : ` (not tried: ${why})`}`, () => {
  let place: Place
  const planner = new Planner()
  beforeAll(async () => {
    place = await openPlace()
  })
  afterAll(() => place[Symbol.asyncDispose]())

  it.each(commands.map((command) => [command.name, command] as const))(
    'of `%s`',
    async (_, command) => {
      const { injections, unnamed } = await planner.plan(place, command)
      expect([...unnamed], 'calls that no table of errnos names').toEqual([])
      const { trials, missed, wrong } = await survey(injections)
      expect(wrong.join('\n\n')).toBe('')
      expect(missed, `calls that were planned and not met, of ${trials}`).toBeLessThan(10 + trials / 10)
    },
    30 * 60_000,
  )
})
