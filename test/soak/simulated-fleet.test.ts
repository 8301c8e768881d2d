/**
 * A hundredth of the simulated fleet (`npm run soak -- fleet`): every result is stored once, every count agrees, the
 * limit is kept, damage is told once, and the status is as true as the results.
 */
import { expect, test } from 'vitest'
import { openFleetDatabase } from '../../src/fleet/database/open-database.ts'
import { readFleetFacts } from '../../src/fleet/status/read-facts.ts'
import { reconcileFleet } from '../../src/fleet/status/reconcile-fleet.ts'
import { countsOf } from '../../src/report/fleet/status/fleet-view.ts'
import { noPostgres, PostgresCluster } from '../support/fleet/postgres-cluster.ts'
import { rarity } from '../support/fleet/simulation/recorded-sweep.ts'
import { simulateSweep } from '../support/fleet/simulation/simulate-fleet.ts'

const size = { hosts: 10, tenants: 10_000, maxPaused: 8 }
const ageMs = 26 * 3_600_000
const msMax = 600_000

test.skipIf(noPostgres !== null)(
  `10 hosts with 10,000 tenants${noPostgres === null ? '' : ` (skipped: ${noPostgres})`}`,
  async () => {
    await using cluster = await PostgresCluster.start()
    const { address } = cluster
    await using database = await openFleetDatabase({ database: address, passwordFile: null, caFile: null }, 60_000)
    let halfDone = 0
    const { run, pausedMost, alarms } = await simulateSweep(
      { database, address, processorMs: () => 0 },
      size,
      async () => {
        const { runs } = await readFleetFacts(database, ageMs)
        halfDone = runs[0]?.done ?? 0
      },
    )
    const damaged = size.tenants / rarity.damaged
    const failed = size.tenants / rarity.failed
    const sound = size.tenants - damaged - failed
    expect(halfDone).toBeGreaterThanOrEqual(size.tenants / 2)
    expect(pausedMost).toBeGreaterThan(0)
    expect(pausedMost).toBeLessThanOrEqual(size.maxPaused)
    const facts = await readFleetFacts(database, ageMs)
    expect(countsOf(facts)).toEqual({ sound, damaged, inconclusive: 0, failed, never: 0 })
    expect(facts.runs).toMatchObject([
      { id: run, state: 'done', isWhole: true, total: size.tenants, done: size.tenants, sound, damaged, failed },
    ])
    expect(facts.files.map(({ verdict }) => verdict)).toEqual([
      ...Array.from({ length: damaged }, () => 'damaged'),
      ...Array.from({ length: failed }, () => 'failed'),
    ])
    expect(facts.slots.every(({ holder }) => holder === null)).toBe(true)
    expect(await reconcileFleet(database, [])).toMatchObject({ hosts: size.hosts, files: size.tenants, totals: {} })
    const { rows } = await database.query(
      'select count(*)::integer as results, count(distinct (host, tenant))::integer as tenants from holdfast.result',
    )
    expect(rows).toEqual([{ results: size.tenants, tenants: size.tenants }])
    const told = alarms.flatMap(({ conditions }) => conditions).filter(({ damage }) => damage === 'index')
    expect(new Set(told.map(({ tenant }) => tenant)).size).toBe(told.length)
  },
  msMax,
)
