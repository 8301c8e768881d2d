/** The order in which a run of the fleet takes the tenants of a host, and that it is planned once. */
import { expect, it } from 'vitest'
import { beginRun } from '../../../../src/fleet/coordinator/runs/begin-run.ts'
import { chunksLeft, planHost } from '../../../../src/fleet/coordinator/runs/plan-host.ts'
import { newRunId } from '../../../../src/ledger/run-lock/run-id.ts'
import { beginSweep, wholeSweep } from '../../../support/fleet/begun-runs.ts'
import { eachDatabase } from '../../../support/fleet/each-database.ts'
import { registerHosts, insertPlaces, tenantNames } from '../../../support/fleet/fleet-tables.ts'

eachDatabase((fleet) => {
  it('a sweep takes the unchecked first, then the unsound, then the longest unchecked', async () => {
    await registerHosts(fleet.database, ['a'])
    await insertPlaces(fleet.database, [
      { host: 'a', tenant: 'fresh', verdict: 'sound', sound: 1, checked: 1 },
      { host: 'a', tenant: 'old', verdict: 'sound', sound: 9, checked: 9 },
      { host: 'a', tenant: 'damaged', verdict: 'damaged', sound: 2, checked: 1 },
      { host: 'a', tenant: 'new' },
    ])
    const run = await beginSweep(fleet.database)
    await planHost(fleet.database, run, 'a')
    const [chunk, ...others] = await chunksLeft(fleet.database, run, 'a')
    expect(others).toEqual([])
    expect(chunk).toMatchObject({ run, host: 'a', chunk: 0, kind: 'check', depth: 'full', priority: 40 })
    expect(chunk?.tenants).toEqual(['new', 'damaged', 'old', 'fresh'])
  })

  it('waves have priorities by the age in the whole fleet', async () => {
    await registerHosts(fleet.database, ['a', 'b'])
    const tenants = tenantNames(120)
    const places = (host: string, days: number) =>
      tenants.map((tenant) => ({ host, tenant, verdict: 'sound', sound: days, checked: days }))
    await insertPlaces(fleet.database, [...places('a', 9), ...places('b', 2)])
    const run = await beginSweep(fleet.database)
    for (const host of ['a', 'b']) await planHost(fleet.database, run, host)
    const [old, fresh] = await Promise.all(['a', 'b'].map((host) => chunksLeft(fleet.database, run, host)))
    expect(old?.map((chunk) => chunk.tenants.length)).toEqual([50, 50, 20])
    expect(old?.flatMap((chunk) => chunk.tenants)).toEqual(tenants)
    const priorities = [old, fresh].map((chunks) => new Set(chunks?.map(({ priority }) => priority)))
    expect(Math.min(...(priorities[0] ?? []))).toBeGreaterThan(Math.max(...(priorities[1] ?? [])))
  })

  it('a triage takes damaged tenants first, each chunk before the next one', async () => {
    await registerHosts(fleet.database, ['a'])
    const sound = tenantNames(70).map((tenant) => ({ host: 'a', tenant, verdict: 'sound', sound: 1, checked: 1 }))
    await insertPlaces(fleet.database, [...sound, { host: 'a', tenant: 'x', verdict: 'damaged', checked: 1 }])
    const run = await beginSweep(fleet.database, { kind: 'triage', depth: 'quick' })
    await planHost(fleet.database, run, 'a')
    const chunks = await chunksLeft(fleet.database, run, 'a')
    expect(chunks.map(({ kind, depth, priority }) => [kind, depth, priority])).toEqual([
      ['triage', 'quick', 100],
      ['triage', 'quick', 99],
    ])
    expect(chunks[0]?.tenants[0]).toBe('x')
  })

  it('a host is planned once, also after results have changed the order', async () => {
    await registerHosts(fleet.database, ['a'])
    await insertPlaces(
      fleet.database,
      tenantNames(60).map((tenant) => ({ host: 'a', tenant })),
    )
    const run = await beginSweep(fleet.database)
    await planHost(fleet.database, run, 'a')
    const before = await chunksLeft(fleet.database, run, 'a')
    await fleet.database.query(`update holdfast.place set checked_at = now() where tenant < 't00030'`)
    await planHost(fleet.database, run, 'a')
    expect(await chunksLeft(fleet.database, run, 'a')).toEqual(before)
    expect(before.flatMap(({ tenants }) => tenants)).toEqual(tenantNames(60))
  })

  it('tenants that are gone, and those of other services, are not planned', async () => {
    await insertPlaces(
      fleet.database,
      ['acme', 'gone', 'mail'].map((tenant) => ({ host: 'a', tenant })),
    )
    await fleet.database.query(`
      update holdfast.place set gone_at = now() where tenant = 'gone';
      update holdfast.place set service = 'mail' where tenant = 'mail'`)
    const run = await beginSweep(fleet.database, { service: 'notes' })
    await planHost(fleet.database, run, 'a')
    expect((await chunksLeft(fleet.database, run, 'a')).map(({ tenants }) => tenants)).toEqual([['acme']])
  })

  it('a second run of the same kind is refused until the first one has ended', async () => {
    const run = await beginSweep(fleet.database)
    const second = newRunId()
    expect(await beginRun(fleet.database, second, wholeSweep)).toEqual({ unfinished: run })
    expect(await beginRun(fleet.database, run, wholeSweep)).toEqual({ begun: run })
    await beginSweep(fleet.database, { kind: 'triage' })
    await fleet.database.query(`update holdfast.run set state = 'done'`)
    expect(await beginRun(fleet.database, second, wholeSweep)).toEqual({ begun: second })
  })
})
