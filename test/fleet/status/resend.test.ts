/** What the agents are asked to send again: all that is there, once, and nothing that would be examined. */
import { expect, test } from 'vitest'
import { askToResend } from '../../../src/fleet/status/ask-to-resend.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { insertPlaces, tenantNames } from '../../support/fleet/fleet-tables.ts'

eachDatabase((fleet) => {
  test('each tenant that is there is asked for once, and a second time only when that has ended', async () => {
    const tenants = tenantNames(51)
    await insertPlaces(fleet.database, [
      ...tenants.map((tenant) => ({ host: 'a', tenant })),
      { host: 'a', tenant: 'gone' },
      { host: 'b', tenant: 'acme' },
    ])
    await fleet.database.query(`
      update holdfast.place set gone_at = now() where tenant = 'gone';
      insert into holdfast.place (host, service, tenant, path) values ('b', 'notes', 'acme', '/srv/second.db')`)
    const run = newRunId()
    expect(await askToResend(fleet.database, run)).toEqual({ tenants: 52 })
    expect(await askToResend(fleet.database, newRunId())).toEqual({ unfinished: run })
    const { rows } = await fleet.database.query('select host, chunk, kind, tenants from holdfast.chunk order by 1, 2')
    expect(rows).toEqual([
      { host: 'a', chunk: 0, kind: 'resend', tenants: tenants.slice(0, 50) },
      { host: 'a', chunk: 1, kind: 'resend', tenants: tenants.slice(50) },
      { host: 'b', chunk: 0, kind: 'resend', tenants: ['acme'] },
    ])
    // A run that is being fed would be planned, and its tenants examined.
    expect((await fleet.database.query('select state from holdfast.run')).rows).toEqual([{ state: 'fed' }])
    await fleet.database.query(`update holdfast.run set state = 'done'`)
    expect(await askToResend(fleet.database, newRunId())).toEqual({ tenants: 52 })
  })
})
