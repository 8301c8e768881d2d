/** Sweeps that begin by a schedule. They wait for the next minute of a clock, so they have a file of their own. */
import { expect, it } from 'vitest'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { registerHosts, insertPlaces } from '../../support/fleet/fleet-tables.ts'
import { startCoordinator } from '../../support/fleet/running-coordinator.ts'
import { eventually } from '../../support/processes.ts'

eachDatabase((fleet) => {
  it('the schedule begins a sweep, and one that is unfinished swallows the next one, which is told', async () => {
    await registerHosts(fleet.database, ['a'])
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme' }])
    await using coordinator = startCoordinator(fleet, {
      settings: { schedule: { at: '* * * * *', zone: 'Europe/Berlin' } },
    })
    const leftOut = () => coordinator.alarms.some(({ severity }) => severity === 'stale')
    await eventually('a sweep was left out', leftOut, 240_000)
    const { rows } = await fleet.database.query('select kind, state from holdfast.run')
    expect(rows).toEqual([{ kind: 'sweep', state: 'fed' }])
    expect(coordinator.notices.filter((notice) => notice.includes('begun by the schedule'))).toHaveLength(1)
  })

  it('a time that pg-boss does not understand is a failure in words', async () => {
    const settings = { schedule: { at: '61 2 * * *', zone: 'Europe/Berlin' } }
    const coordinator = startCoordinator(fleet, { settings })
    await expect(coordinator.ended).rejects.toMatchObject({ code: 'FLEET_STATEMENT_FAILED' })
  })
})
