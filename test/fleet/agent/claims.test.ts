/** Who may be an agent: one on each machine, and one machine for each name. And what it knows after a loss. */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Outbox } from '../../../src/fleet/results/outbox.ts'
import { removeHost } from '../../../src/fleet/status/remove-host.ts'
import { chunkDone, sendChunk } from '../../support/fleet/agent-at-work.ts'
import { jobState, newRun, openCoordination, startHost, type FleetHost } from '../../support/fleet/agent-hosts.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { outgoing } from '../../support/fleet/outgoing-results.ts'
import { descendantsRunning, eventually } from '../../support/processes.ts'

/** With results that no database takes. */
function fillOutbox({ ledger }: FleetHost): void {
  mkdirSync(join(ledger, 'agent'), { recursive: true, mode: 0o700 })
  using outbox = Outbox.open(ledger, Date.now())
  const results = Array.from({ length: 100 }, (_, at) =>
    outgoing(`t${at}`, { week: '1999-01-04', path: 'x'.repeat(20_000) }),
  )
  outbox.put('L', results)
}

eachDatabase((fleet) => {
  const rowsOf = async (text: string): Promise<readonly object[]> => (await fleet.database.query(text)).rows
  const results = () =>
    rowsOf('select run, tenant, attempt, verdict from holdfast.result order by run, tenant, attempt')

  test('a second agent of this machine is refused (75), and another machine with its name too (78)', async () => {
    await using host = await startHost(fleet.address, 'alpha')
    await using other = await startHost(fleet.address, 'alpha')
    await using _jobs = await openCoordination(fleet, ['alpha'])
    await using agent = await host.startAgent()
    const second = await (await host.startAgent(false)).ended
    expect([second.code, second.stderr]).toEqual([75, expect.stringContaining('FLEET_AGENT_ACTIVE')])
    const twin = await (await other.startAgent(false)).ended
    expect([twin.code, twin.stderr]).toEqual([78, expect.stringContaining('FLEET_HOST_TAKEN')])
    const [row] = (await rowsOf('select machine_id from holdfast.host')) as readonly { machine_id: string }[]
    expect(twin.stderr.replaceAll(/\s+/g, ' ')).toContain(`the machine ${row?.machine_id ?? 'none'} is the host alpha`)
    const told = "select kind, subject, body ->> 'text' as text from holdfast.told"
    await (
      await other.startAgent(false)
    ).ended
    expect(await rowsOf(told)).toEqual([
      {
        kind: 'host-taken',
        subject: 'alpha',
        text: expect.stringContaining('Two machines have the name alpha') as unknown,
      },
    ])
    // As if the first had been cut off: the other one takes the name, and the first gives it up when it is back.
    await fleet.database.query("update holdfast.host set seen_at = now() - interval '2 minutes'")
    await using _twin = await other.startAgent()
    const first = await agent.ended
    expect([first.code, first.stderr]).toEqual([78, expect.stringContaining('FLEET_HOST_TAKEN')])

    // A person removes the host, although its agent is only late: it is soon back, with its tenants.
    const placesHere = async (): Promise<number> =>
      (await rowsOf('select from holdfast.place join holdfast.host on name = host where gone_at is null')).length
    await eventually('its tenants are registered', async () => (await placesHere()) === 3)
    await eventually('it is removed between two of its reports', async () => {
      await fleet.database.query("update holdfast.host set seen_at = now() - interval '6 minutes'")
      return !('refused' in (await removeHost(fleet.database, { host: 'alpha', by: 'a test', run: newRun() })))
    })
    await eventually('it is back', async () => (await placesHere()) === 3)
  })

  test('an outbox that is full: no tenant is paused, and the host says why', async () => {
    await using host = await startHost(fleet.address, 'alpha', { fleet: ['outbox: { max: 1MB }'] })
    fillOutbox(host)
    await using jobs = await openCoordination(fleet, ['alpha'])
    await using agent = await host.startAgent()
    const chunk = await sendChunk({ host, jobs })
    await eventually(`it was taken: ${agent.stderr()}`, async () => (await jobState(fleet, chunk)) === 'active')
    await eventually('the host says why', async () =>
      JSON.stringify(await rowsOf('select said from holdfast.host')).includes('the outbox is full'),
    )
    expect(await rowsOf('select from holdfast.pause_slot')).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 3_000)) // Longer than it takes to begin a chunk.
    expect(descendantsRunning(agent.pid, 'chunk-child'), 'no process has the run lock').toEqual([])
    expect(await results()).toEqual([])
  })

  test('an outbox that was lost: attempts go on where they were, and no result comes twice', async () => {
    await using host = await startHost(fleet.address, 'alpha')
    await using jobs = await openCoordination(fleet, ['alpha'])
    const run = newRun()
    {
      await using agent = await host.startAgent()
      await chunkDone(fleet, await sendChunk({ host, jobs }, ['acme'], { run }), agent)
    }
    for (const part of ['', '-wal', '-shm']) rmSync(join(host.ledger, 'agent', `outbox.db${part}`), { force: true })
    await using agent = await host.startAgent()
    await chunkDone(fleet, await sendChunk({ host, jobs }, ['acme', 'bolt'], { run, chunk: 1 }), agent)
    expect(await results()).toEqual([
      { run, tenant: 'acme', attempt: 1, verdict: 'sound' },
      { run, tenant: 'bolt', attempt: 3, verdict: 'sound' },
    ])
  })

  test('a database that was lost is filled again from the ledger, each result under its own name', async () => {
    await using host = await startHost(fleet.address, 'alpha')
    await using jobs = await openCoordination(fleet, ['alpha'])
    await using agent = await host.startAgent()
    await chunkDone(fleet, await sendChunk({ host, jobs }), agent)
    await chunkDone(fleet, await sendChunk({ host, jobs }), agent)
    const before = await results()
    expect(before).toHaveLength(6)
    await agent[Symbol.asyncDispose]()
    expect((await host.holdfast.run('check', '--tenant', 'bolt')).code).toBe(0)
    await using next = await host.startAgent()
    await fleet.database.query('truncate holdfast.result, holdfast.place, holdfast.content, holdfast.run_host')
    const all = [...host.demo.tenants, 'nobody']
    const resend = await sendChunk({ host, jobs }, all, { kind: 'resend', priority: 60 })
    await chunkDone(fleet, resend, next)
    const own = { run: resend.run, tenant: 'bolt', attempt: 1, verdict: 'sound' }
    expect(await results()).toEqual([...before, own])
    expect(
      await rowsOf('select tenant, verdict, sound_at is not null as sound from holdfast.place order by 1'),
    ).toEqual(host.demo.tenants.map((tenant) => ({ tenant, verdict: 'sound', sound: true })))
  })
})
