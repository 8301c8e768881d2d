/** ResultDelivery: each result reaches the log once, and everything else is counted from what was new there. */

import { expect, test } from 'vitest'
import { deliverStatement } from '../../../src/fleet/results/deliver-statement.ts'
import { openDeliveryFixture } from '../../support/fleet/delivery-fixture.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { outgoing, outgoingDamaged, runs } from '../../support/fleet/outgoing-results.ts'

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const counts = () =>
    rowsOf('select run, done, sound, damaged, inconclusive, failed from holdfast.run_host order by run')
  const place = () => rowsOf('select tenant, verdict, damage, run, attempt from holdfast.place order by tenant')

  test('results are logged, counted, and become the last of their place; sent again they change nothing', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    const sent = [
      outgoing('acme'),
      outgoingDamaged('bolt', { report: { findings: [] } as never }),
      outgoing('crate', { verdict: 'failed', settles: false, failure: 'IN_USE' }),
      outgoing('', { path: '', verdict: 'inconclusive', settles: false, failure: 'TENANT_GONE' }),
    ]
    for (let time = 0; time < 2; time++) {
      await sender.send(...sent)
      expect(await counts()).toEqual([{ run: runs[0], done: 4, sound: 1, damaged: 1, inconclusive: 1, failed: 1 }])
      expect(await place()).toEqual([
        { tenant: 'acme', verdict: 'sound', damage: 'none', run: runs[0], attempt: 1 },
        { tenant: 'bolt', verdict: 'damaged', damage: 'index', run: runs[0], attempt: 1 },
        { tenant: 'crate', verdict: 'failed', damage: 'none', run: runs[0], attempt: 1 },
      ])
    }
    expect(await rowsOf('select tenant, failure, report from holdfast.result order by tenant')).toEqual([
      { tenant: '', failure: 'TENANT_GONE', report: null },
      { tenant: 'acme', failure: null, report: null },
      { tenant: 'bolt', failure: null, report: { findings: [] } },
      { tenant: 'crate', failure: 'IN_USE', report: null },
    ])
    const again = await fleet.database.query(deliverStatement, [JSON.stringify(sent), 'alpha', 'notes', Date.now()])
    expect(again.rows).toEqual([{ stored: 0 }])
    expect([sender.outbox.size.rows, sender.troubles, sender.notices]).toEqual([0, [], []])
  })

  test('a later attempt takes the place of an earlier one in the counts, whichever comes first', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    await sender.send(outgoing('acme'), outgoing('acme', { attempt: 3, verdict: 'failed', settles: false }))
    await sender.send(outgoingDamaged('acme', { attempt: 5 }), outgoing('bolt', { attempt: 5 }))
    await sender.send(
      outgoing('bolt', { attempt: 1, verdict: 'failed', settles: false }),
      outgoing('acme', { attempt: 2 }),
    )
    expect(await counts()).toEqual([{ run: runs[0], done: 2, sound: 1, damaged: 1, inconclusive: 0, failed: 0 }])
    expect(await place()).toMatchObject([
      { tenant: 'acme', verdict: 'damaged', attempt: 5 },
      { tenant: 'bolt', verdict: 'sound', attempt: 5 },
    ])
    expect(await rowsOf('select tenant, attempt from holdfast.result')).toHaveLength(6)
  })

  test('an older run does not replace what a newer one has found, and is counted for itself', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    await sender.send(outgoing('acme', { run: runs[1] }))
    await sender.send(outgoingDamaged('acme', { attempt: 9 }))
    expect(await place()).toMatchObject([{ verdict: 'sound', run: runs[1], attempt: 1 }])
    expect(await counts()).toMatchObject([
      { run: runs[0], done: 1, damaged: 1 },
      { run: runs[1], done: 1, sound: 1 },
    ])
  })

  test.each(['in one batch', 'one after the other'])(
    'what a sweep finds after a triage that began later takes its place, while the sweep works (%s)',
    async (how) => {
      const ofSweep = async (state: string): Promise<readonly object[]> => {
        await fleet.database.query('delete from holdfast.place')
        await fleet.database.query(
          `insert into holdfast.run (id, kind, state) values ($1, 'sweep', $2)
           on conflict (id) do update set state = excluded.state`,
          [runs[0], state],
        )
        await using sender = openDeliveryFixture(fleet.database)
        const attempt = state === 'fed' ? 1 : 3
        const steps = [
          outgoing('acme', { run: runs[1], attempt, checkedAt: Date.now() - 120_000 }),
          outgoingDamaged('acme', { attempt, checkedAt: Date.now() - 60_000 }),
        ]
        if (how === 'in one batch') await sender.send(...steps)
        else for (const step of steps) await sender.send(step)
        return await place()
      }
      expect(await ofSweep('fed')).toMatchObject([{ verdict: 'damaged', run: runs[0] }])
      expect(await ofSweep('done')).toMatchObject([{ verdict: 'sound', run: runs[1] }])
    },
  )

  test('a time in the future does not let an older run take the place of a newer one', async () => {
    await fleet.database.query(`insert into holdfast.run (id, kind, state) values ($1, 'sweep', 'fed')`, [runs[0]])
    await using sender = openDeliveryFixture(fleet.database)
    await sender.send(outgoing('acme', { run: runs[1], checkedAt: Date.now() - 120_000 }))
    await sender.send(outgoingDamaged('acme', { checkedAt: Date.now() + 3_600_000 }))
    expect(await place()).toMatchObject([{ verdict: 'sound', run: runs[1] }])
  })

  test.each(['in one batch', 'one after the other'])(
    'damage stays until a full check has found the file sound (%s)',
    async (how) => {
      await using sender = openDeliveryFixture(fleet.database)
      const steps = [
        outgoingDamaged('acme'),
        outgoing('acme', { attempt: 3, settles: false }),
        outgoing('acme', { attempt: 5, verdict: 'failed', settles: false }),
      ]
      if (how === 'in one batch') await sender.send(...steps)
      else for (const step of steps) await sender.send(step)
      expect(await place()).toMatchObject([{ verdict: 'damaged', damage: 'index', attempt: 5 }])
      expect(await rowsOf('select sound_at from holdfast.place')).toEqual([{ sound_at: null }])
      await sender.send(outgoing('acme', { attempt: 7 }))
      expect(await place()).toMatchObject([{ verdict: 'sound', damage: 'none', attempt: 7 }])
    },
  )

  test('the newest full check of a batch decides whether there is damage, and not what was known before', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    await sender.send(outgoingDamaged('acme'))
    const failed = (tenant: string) => outgoing(tenant, { attempt: 7, verdict: 'failed', settles: false })
    await sender.send(outgoing('acme', { attempt: 5 }), failed('acme'))
    await sender.send(outgoingDamaged('bolt', { attempt: 3 }), outgoing('bolt', { attempt: 5 }), failed('bolt'))
    expect(await place()).toMatchObject([
      { tenant: 'acme', verdict: 'failed', damage: 'none' },
      { tenant: 'bolt', verdict: 'failed', damage: 'none' },
    ])
  })

  test('a check that fails leaves when the file was sound', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    const soundAt = () => rowsOf('select sound_at from holdfast.place')
    await sender.send(outgoing('acme'))
    const before = await soundAt()
    await sender.send(outgoing('acme', { attempt: 3, verdict: 'failed', settles: false }))
    expect(await soundAt()).toEqual(before)
    expect(before).not.toEqual([{ sound_at: null }])
  })

  test('ages count by the clock of the database: a host whose clock is an hour ahead changes nothing', async () => {
    const hourMs = 3_600_000
    await using sender = openDeliveryFixture(fleet.database, () => Date.now() + hourMs)
    await sender.send(
      outgoing('acme', { checkedAt: Date.now() + hourMs - 60_000 }),
      outgoing('bolt', { checkedAt: Date.now() + 5 * hourMs }),
    )
    const ages = await rowsOf(
      'select extract(epoch from clock_timestamp() - sound_at)::float8 as s from holdfast.place order by tenant',
    )
    const [acme, bolt] = ages.map((row) => (row as { s: number }).s)
    expect(acme).toBeGreaterThanOrEqual(60)
    expect(acme).toBeLessThan(90)
    expect(bolt).toBeGreaterThanOrEqual(0)
    expect(bolt).toBeLessThan(30)
  })

  test('tables of the last check are kept, and others dropped; a check that read nothing drops none', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    const content = () =>
      rowsOf('select table_name, rows, digest, facts, run from holdfast.content order by table_name')
    const table = (name: string, rows: number) => ({ name, rows, digest: `d${rows}`, pages: 3 }) as never
    await sender.send(outgoing('acme', { content: [table('a', 1), table('b', 2)] }))
    await sender.send(outgoing('acme', { attempt: 3, verdict: 'failed', settles: false, content: null }))
    const half = { verdict: 'inconclusive', settles: false, content: [table('a', 9)] } as const
    await sender.send(outgoing('acme', { ...half, attempt: 4 }))
    const facts = { pages: 3 }
    const first = { table_name: 'a', rows: 1, digest: 'd1', facts, run: runs[0] }
    expect(await content()).toEqual([first, { ...first, table_name: 'b', rows: 2, digest: 'd2' }])
    await sender.send(outgoing('acme', { attempt: 5, content: [table('b', 7), table('c', 8)] }))
    await sender.send(outgoing('acme', { attempt: 4, content: [table('a', 1)] }))
    expect(await content()).toMatchObject([
      { table_name: 'b', rows: 7 },
      { table_name: 'c', rows: 8 },
    ])
  })

  test('tables of another host or another tenant stay, although their paths are the same', async () => {
    await using sender = openDeliveryFixture(fleet.database)
    await using other = openDeliveryFixture(fleet.database, Date.now, 'beta')
    const table = (name: string) => ({ name, rows: 1, digest: 'd' }) as never
    const path = '/srv/shared.db'
    await sender.send(
      outgoing('acme', { path, content: [table('a')] }),
      outgoing('bolt', { path, content: [table('a')] }),
    )
    await other.send(outgoing('acme', { path, content: [table('a')] }))
    await sender.send(outgoing('acme', { path, attempt: 3, content: [table('b')] }))
    expect(await rowsOf('select host, tenant, table_name from holdfast.content order by 1, 2')).toEqual([
      { host: 'alpha', tenant: 'acme', table_name: 'b' },
      { host: 'alpha', tenant: 'bolt', table_name: 'a' },
      { host: 'beta', tenant: 'acme', table_name: 'a' },
    ])
  })
})
