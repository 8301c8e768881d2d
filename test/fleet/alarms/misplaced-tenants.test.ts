/** Tenants on two hosts or on none are told once they stay so, once, and again when it is over. */
import { expect, test } from 'vitest'
import { MisplacedTenants } from '../../../src/fleet/alarms/misplaced-tenants.ts'
import { alarmSender } from '../../support/fleet/alarm-sender.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { insertPlaces } from '../../support/fleet/fleet-tables.ts'

eachDatabase((fleet) => {
  const on = (host: string, tenant: string) => ({ host, tenant, verdict: 'sound', sound: 1, checked: 1 }) as const

  test('told at the second look, not again while it stays the same, and as over', async () => {
    await insertPlaces(fleet.database, [on('a', 'acme'), on('b', 'acme'), on('a', 'bolt'), on('b', 'core')])
    const { alarms, clock, sender } = alarmSender(fleet.database, 'one')
    const tenants = new MisplacedTenants(fleet.database, [])
    const look = async (): Promise<readonly (string | null)[]> => {
      const before = alarms.length
      await tenants.look()
      clock.ms += 60_000
      await sender.send()
      return alarms.slice(before).flatMap(({ severity, conditions }) => [severity, conditions[0]?.text ?? null])
    }
    expect(await look()).toEqual([])
    expect(await look()).toEqual(['inconclusive', expect.stringContaining('acme')])
    expect(await look()).toEqual([])
    // Another one moves in each hour. That does not hide the one that stays.
    await fleet.database.query(`update holdfast.place set gone_at = now() where tenant = 'core'`)
    expect(await look()).toEqual([])
    await fleet.database.query(`update holdfast.place set gone_at = null where tenant = 'core'`)
    expect(await look()).toEqual([])
    await fleet.database.query(`update holdfast.place set gone_at = now() where tenant = 'acme' and host = 'b'`)
    expect(await look()).toEqual(['recovered', null])
    expect(alarms.map(({ conditions }) => conditions[0]?.command)).toEqual(['holdfast fleet reconcile', null])
  })

  test('replicas that are meant are not told', async () => {
    await insertPlaces(fleet.database, [on('a', 'acme'), on('b', 'acme')])
    const { alarms, sender } = alarmSender(fleet.database, 'one')
    const tenants = new MisplacedTenants(fleet.database, [{ tenants: ['ac*'], hosts: 2 }])
    for (let looks = 0; looks < 3; looks++) await tenants.look()
    await sender.send()
    expect(alarms).toEqual([])
  })
})
