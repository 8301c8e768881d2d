/** The agent: from a chunk in the database to its results there. */

import { expect, test } from 'vitest'
import { chunkDone, sendChunk, startChunkInHold } from '../../support/fleet/agent-at-work.ts'
import { jobState, openCoordination, startHost } from '../../support/fleet/agent-hosts.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const results = () => rowsOf('select tenant, verdict, failure from holdfast.result order by tenant, attempt')

  test('registers its host and tenants, examines a chunk, and stores each result once; a signal ends it', async () => {
    await using host = await startHost(fleet.address, 'alpha')
    await fleet.database.query(
      `insert into holdfast.place (host, service, tenant, path) values ('alpha', 'notes', 'gone', '/srv/gone.db'),
        ('alpha', 'name-before', 'moved', '/srv/moved.db')`,
    )
    await using jobs = await openCoordination(fleet, ['alpha'])
    await using agent = await host.startAgent()
    expect(
      await rowsOf('select tenant, gone_at is null as here, ino is null as unseen from holdfast.place order by 1'),
    ).toEqual([
      ...host.demo.tenants.map((tenant) => ({ tenant, here: true, unseen: false })),
      { tenant: 'gone', here: false, unseen: true },
      { tenant: 'moved', here: false, unseen: true },
    ])
    const chunk = await sendChunk({ host, jobs }, [...host.demo.tenants, 'gone'])
    await chunkDone(fleet, chunk, agent)
    expect(await results()).toEqual([
      ...host.demo.tenants.map((tenant) => ({ tenant, verdict: 'sound', failure: null })),
      { tenant: 'gone', verdict: 'inconclusive', failure: 'TENANT_GONE' },
    ])
    expect(await rowsOf('select done, sound, inconclusive from holdfast.run_host')).toEqual([
      { done: 4, sound: 3, inconclusive: 1 },
    ])
    expect((await rowsOf('select distinct tenant from holdfast.content')).length).toBe(3)
    expect(await rowsOf('select holder from holdfast.pause_slot where holder is not null')).toEqual([])
    expect(await host.demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
    agent.kill('SIGTERM')
    expect((await agent.ended).code).toBe(143)
    expect(await rowsOf('select outbox_rows, said from holdfast.host')).toEqual([{ outbox_rows: 0, said: null }])
    expect((await host.holdfast.run('status', '--json')).stdout).toContain('"openHolds": []')
  })

  test('an incident comes between two tenants of a sweep, which then goes on; none is examined twice', async () => {
    await using work = await startChunkInHold(fleet, { tenants: 6, misbehave: 'slow=1000' })
    const { host, agent, chunk: sweep } = work
    const incident = await sendChunk(work, host.demo.tenants.slice(-1), { priority: 100, kind: 'triage' })
    await chunkDone(fleet, incident, agent)
    expect(await jobState(fleet, sweep)).toBe('active')
    expect((await rowsOf(`select from holdfast.result where run = '${sweep.run}'`)).length).toBeLessThan(6)
    await chunkDone(fleet, sweep, agent, 90_000)
    expect(await results()).toHaveLength(7)
    expect(await rowsOf('select done, sound from holdfast.run_host order by done')).toEqual([
      { done: 1, sound: 1 },
      { done: 6, sound: 6 },
    ])
  })

  test('ended in the middle of a hold, it leaves no tenant paused; the next agent examines the rest', async () => {
    await using work = await startChunkInHold(fleet, { tenants: 4 })
    const { host, agent, chunk } = work
    agent.kill('SIGTERM')
    expect((await agent.ended).code, agent.stderr()).toBe(143)
    expect(await host.demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
    expect(await rowsOf('select holder from holdfast.pause_slot where holder is not null')).toEqual([])
    expect([1, 2, 3], 'the tenant that was paused has its result').toContain((await results()).length)
    await using next = await host.startAgent()
    await fleet.database.query("update pgboss.job set start_after = now() where state = 'retry'")
    await chunkDone(fleet, chunk, next)
    expect(await results()).toEqual(host.demo.tenants.map((tenant) => ({ tenant, verdict: 'sound', failure: null })))
  })
})
