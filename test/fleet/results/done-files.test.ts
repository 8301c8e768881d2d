/** Which files of a run need no check again, after the database has lost what was stored. */
import { expect, test } from 'vitest'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { doneFiles } from '../../../src/fleet/results/done-files.ts'
import { doneKey } from '../../../src/fleet/results/done-key.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { openDeliveryFixture } from '../../support/fleet/delivery-fixture.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { outgoing, outgoingDamaged, runs } from '../../support/fleet/outgoing-results.ts'

eachDatabase((fleet) => {
  test('a file is checked again if the database has lost its result, or only what revised it', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    const tenants = ['acme', 'bolt', 'crate'].map(tenantId)
    const done = async (): Promise<readonly string[]> => {
      const chunk = { week: weekOf(runs[0]), run: runs[0], tenants }
      const files = await doneFiles(fleet.database, sender.outbox, 'alpha', chunk)
      return tenants.filter((tenant) => files.has(doneKey(tenant, `/srv/${tenant}.db`)))
    }
    await sender.send(outgoing('acme'), outgoing('bolt'), outgoing('crate'))
    expect(await done()).toEqual(tenants)
    await sender.send(outgoingDamaged('bolt', { attempt: 2 }))
    expect(await done()).toEqual(tenants)
    await fleet.database.query("delete from holdfast.result where tenant = 'acme' or attempt = 2")
    expect(await done()).toEqual(['crate'])
    sender.outbox.put('L1', [outgoing('acme'), outgoing('bolt')])
    expect(await done()).toEqual(['acme', 'crate']) // What revised the result of bolt is still lost.
  })
})
