/** Deliveries that meet trouble: a result that no database takes, and a database that is slow or cannot write. */

import { expect, test } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { deliverStatement } from '../../../src/fleet/results/deliver-statement.ts'
import { Failure } from '../../../src/model/failure.ts'
import { openDeliveryFixture } from '../../support/fleet/delivery-fixture.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { outgoing, outgoingDamaged } from '../../support/fleet/outgoing-results.ts'
import { eventually } from '../../support/processes.ts'

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const counts = () => rowsOf('select done, sound from holdfast.run_host order by run')
  const place = () => rowsOf('select tenant from holdfast.place order by tenant')

  test('what no database takes stays in the outbox with a notice, and keeps no other result back', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    await sender.send(
      outgoing('acme'),
      outgoing('bolt', { attempt: 3_000_000_000 }),
      outgoing('crate', { week: '1999-01-04' }),
      outgoing('dune\0', { path: '/srv/\ud800.db' }),
    )
    expect(await place()).toMatchObject([{ tenant: 'acme' }, { tenant: 'dune\ufffd' }])
    expect(sender.outbox.size.rows).toBe(2)
    expect(sender.notices).toEqual([
      expect.stringContaining('stays in the outbox'),
      expect.stringContaining('stays in the outbox'),
    ])
  })

  test('a database that is too slow for a whole batch gets smaller ones', async () => {
    const slow: FleetDatabase = {
      kind: fleet.kind,
      query: async (text, values = []) => {
        const [batch] = values
        const rows: unknown = typeof batch === 'string' && batch.startsWith('[') ? JSON.parse(batch) : []
        if (Array.isArray(rows) && rows.length > 30) throw new Failure('FLEET_UNREACHABLE', 'no answer for 10 s')
        return fleet.database.query(text, values)
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await using sender = openDeliveryFixture(slow)
    await sender.send(...Array.from({ length: 120 }, (_, at) => outgoing(`tenant-${at}`)))
    expect(await counts()).toMatchObject([{ done: 120, sound: 120 }])
    expect(sender.troubles.at(-1)).toBe('over')
  })

  test('a batch is no longer than a statement may be, however few results it has', async () => {
    const lengths: number[] = []
    const measured: FleetDatabase = {
      kind: fleet.kind,
      query: (text, values = []) => {
        if (text === deliverStatement) lengths.push(String(values[0]).length)
        return fleet.database.query(text, values)
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await using sender = openDeliveryFixture(measured)
    const report = { findings: ['x'.repeat(4_500_000)] } as never
    await sender.send(outgoingDamaged('acme', { report }), outgoingDamaged('bolt', { report }))
    expect(lengths.map((length) => Math.round(length / 1e6))).toEqual([5, 5])
    expect(await place()).toHaveLength(2)
  })

  test.each([
    ['53100', 'FLEET_FULL'],
    ['40P01', 'FLEET_STATEMENT_FAILED'],
  ])('a database that cannot write now (%s) keeps results waiting, and has them once it can', async (state, code) => {
    await using sender = openDeliveryFixture(fleet.database)
    await fleet.database.query(`
      create function holdfast.no_write() returns trigger language plpgsql as $$ begin
        raise exception 'it cannot write now' using errcode = '${state}'; end $$;
      create trigger no_write before insert on holdfast.result execute function holdfast.no_write()`)
    const sent = sender.send(outgoing('acme'), outgoing('bolt'))
    await eventually('the trouble is reported', () => sender.troubles.length > 0)
    expect([sender.troubles, sender.outbox.size.rows, await place()]).toEqual([[code], 2, []])
    expect(sender.delivery.failure).toBeInstanceOf(Failure)
    await fleet.database.query('drop trigger no_write on holdfast.result')
    await sent
    expect([sender.troubles, sender.notices, sender.outbox.size.rows]).toEqual([[code, 'over'], [], 0])
    expect(await counts()).toMatchObject([{ done: 2, sound: 2 }])
  })
})
