/** Half a minute of storm on each database; `npm run soak -- pause` makes it longer. */
import { expect, test } from 'vitest'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { raiseStorm } from '../../support/fleet/pause/storm.ts'

const seed = Number(process.env['HOLDFAST_SEED'] ?? 1)

eachDatabase((fleet: FleetUnderTest) => {
  test('in a storm of kills, freezes, lost connections and restarts the limit holds, and holds go on', async () => {
    const outcome = await raiseStorm({ fleet, seconds: 40, holdsMin: 20, seed, agents: 5, limit: 3 })
    expect(outcome.ended).toEqual([])
    expect(outcome.mostAtOnce, 'never more than the limit, and the limit is used in full').toBe(3)
    expect(outcome.holds).toBeGreaterThanOrEqual(20)
    expect(outcome.kills + outcome.freezes).toBeGreaterThan(5)
  }, 300_000)
})
