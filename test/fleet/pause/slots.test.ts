/** The limit on paused tenants in the database: taking, giving back, scopes, epochs, and slots that were left. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { agentIdentity, releaseLeft, slotsLeftBy } from '../../../src/fleet/pause/left-slots.ts'
import { freeSlots, type PauseSlots, type PauseSlotsOptions } from '../../../src/fleet/pause/pause-slots.ts'
import { setPauseLimits } from '../../../src/fleet/pause/slot-watch.ts'
import { sleep } from '../../../src/host/clock.ts'
import type { Failure } from '../../../src/model/failure.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { grantedSlot, refusedSlot, slotsOf as slotsOfHost, whileTaking } from '../../support/fleet/pause/asked-slots.ts'

eachDatabase((fleet: FleetUnderTest) => {
  const slotsOf = (host: string, more: Partial<PauseSlotsOptions> = {}): PauseSlots =>
    slotsOfHost(fleet.database, host, { onFailure: (trouble) => troubles.push(trouble), ...more })
  const troubles: Failure[] = []
  const heldRows = async (): Promise<readonly object[]> =>
    (
      await fleet.database.query(
        'select scope, slot, holder from holdfast.pause_slot where holder is not null order by 1, 2',
      )
    ).rows

  beforeEach(async () => {
    troubles.length = 0
    await setPauseLimits(fleet.database, { fleet: 3, service: 2, domain: 1 })
  })

  test('a slot takes one row in each scope, and giving it back frees them', async () => {
    const slots = slotsOf('db1', { domain: 'rack-a' })
    const taken = grantedSlot(await slots.take())
    expect(taken.rows.map(({ scope, slot }) => [scope, slot])).toEqual([
      ['domain:rack-a', 1],
      ['fleet', 1],
      ['service:notes', 1],
    ])
    expect(await heldRows()).toHaveLength(3)
    slots.release(taken)
    await slots.untilReturned()
    expect([await heldRows(), troubles]).toEqual([[], []])
  })

  test('the smallest limit decides, and who is refused takes nothing', async () => {
    grantedSlot(await slotsOf('db1', { domain: 'rack-a' }).take())
    expect(refusedSlot(await slotsOf('db2', { domain: 'rack-a' }).take()).why).toBe(
      'as many tenants are paused as the domain rack-a allows',
    )
    grantedSlot(await slotsOf('db2', { domain: 'rack-b' }).take())
    expect(refusedSlot(await slotsOf('db3').take()).why).toBe('as many tenants are paused as the service notes allows')
    grantedSlot(await slotsOf('db3', { service: 'mail' }).take())
    expect(refusedSlot(await slotsOf('db4', { service: 'mail' }).take())).toEqual({
      refused: 'full',
      why: 'as many tenants are paused as the fleet allows',
      againMs: 0,
    })
    expect(await heldRows()).toHaveLength(8)
  })

  test('all hosts together do not ask a full fleet too often, and none waits long', async () => {
    const againMs = async (hosts: number): Promise<number | undefined> => {
      await fleet.database.query(
        `insert into holdfast.host(name, machine_id, boot_id, version, started_at)
          select n, n, n, '0.1.0', now() from generate_series(1, $1::integer) n on conflict do nothing`,
        [hosts],
      )
      await fleet.database.query('analyze holdfast.host')
      return refusedSlot(await slotsOf('db2').take()).againMs
    }
    await setPauseLimits(fleet.database, { fleet: 1, service: 1, domain: 1 })
    grantedSlot(await slotsOf('db1').take())
    expect([await againMs(0), await againMs(50), await againMs(400), await againMs(2_000)]).toEqual([
      0, 500, 4_000, 10_000,
    ])
    // The limits of services and domains are reached by all hosts together, too.
    await setPauseLimits(fleet.database, { fleet: 9, service: 1, domain: 9 })
    expect(await againMs(2_000)).toBe(10_000)
    await setPauseLimits(fleet.database, { fleet: 9, service: 9, domain: 1 })
    const inRack = { domain: 'rack-a' }
    grantedSlot(await slotsOf('db1', inRack).take())
    expect(refusedSlot(await slotsOf('db2', inRack).take()).againMs).toBe(10_000)
  })

  test('many that ask at the same time never have more than the limit', async () => {
    const agents = await Promise.all(Array.from({ length: 6 }, () => fleet.open()))
    let held = 0
    const most: number[] = []
    await Promise.all(
      agents.map(async (database, at) => {
        const slots = slotsOf(`db${at}`, { service: `s${at}`, database })
        for (let round = 0; round < 15; round++) {
          const answer = await slots.take()
          if (!('rows' in answer)) continue
          most.push(++held)
          await sleep(2)
          held--
          slots.release(answer)
          await slots.untilReturned()
        }
      }),
    )
    await Promise.all(agents.map((one) => one[Symbol.asyncDispose]()))
    expect(Math.max(...most)).toBeLessThanOrEqual(3)
    expect([await heldRows(), troubles]).toEqual([[], []])
  })

  test.skipIf(fleet.kind === 'pglite')(
    'a slot that is just being taken is given to no other agent, which does not wait for it',
    async () => {
      await setPauseLimits(fleet.database, { fleet: 1, service: 1, domain: 1 })
      grantedSlot(await slotsOf('db0').take()) // Makes the rows.
      await fleet.database.query('update holdfast.pause_slot set holder = null')
      await whileTaking(fleet, ['fleet', 'service:notes'], async () => {
        expect(refusedSlot(await slotsOf('db2').take()).refused).toBe('full')
      })
    },
  )

  test('who gives back late frees nothing that another has by now', async () => {
    const first = slotsOf('db1')
    const taken = grantedSlot(await first.take())
    expect(await freeSlots(fleet.database, taken)).toBe(2)
    const other = grantedSlot(await slotsOf('db2').take())
    first.release(taken)
    await first.untilReturned()
    expect(await heldRows()).toHaveLength(2)
    expect(await freeSlots(fleet.database, other)).toBe(2)
  })

  test('a lowered limit holds at once, and a raised one too', async () => {
    grantedSlot(await slotsOf('db1', { service: 'a' }).take())
    grantedSlot(await slotsOf('db2', { service: 'b' }).take())
    await setPauseLimits(fleet.database, { fleet: 1, service: 2, domain: 1 })
    refusedSlot(await slotsOf('db3', { service: 'c' }).take())
    await setPauseLimits(fleet.database, { fleet: 4, service: 2, domain: 1 })
    grantedSlot(await slotsOf('db3', { service: 'c' }).take())
    grantedSlot(await slotsOf('db4', { service: 'd' }).take())
    refusedSlot(await slotsOf('db5', { service: 'e' }).take())
  })

  test('without a limit nobody gets a slot', async () => {
    await fleet.database.query('delete from holdfast.pause_limit')
    expect(refusedSlot(await slotsOf('db1').take())).toEqual({
      refused: 'away',
      why: 'no coordinator has set the limit of the fleet yet',
    })
  })

  test('a fence of an earlier epoch frees nothing, and in a foreign epoch nobody is granted a slot', async () => {
    const slots = slotsOf('db1')
    const taken = grantedSlot(await slots.take())
    await fleet.database.query(`update holdfast.pause_epoch set generation = generation + 1`)
    expect(await freeSlots(fleet.database, taken)).toBe(0)
    await fleet.database.query(`update holdfast.pause_epoch set id = 'before the failover'`)
    const ofThen = { ...taken, epoch: 'before the failover', generation: taken.generation + 1 }
    expect(await freeSlots(fleet.database, ofThen)).toBe(0)
    expect(refusedSlot(await slots.take()).refused).toBe('away')
  })

  test('a database that was rolled back is found out by a fence, and grants nothing until it was watched', async () => {
    const slots = slotsOf('db1')
    for (let round = 0; round < 3; round++) {
      slots.release(grantedSlot(await slots.take()))
      await slots.untilReturned()
    }
    await fleet.database.query(`select setval('holdfast.pause_fence', 2)`)
    expect(refusedSlot(await slots.take()).why).toBe(
      'the database has forgotten slots that it gave out: it was rolled back',
    )
    expect(refusedSlot(await slotsOf('db2').take()).refused).toBe('away')
    const { rows } = await fleet.database.query('select id like $1 as doubted, generation from holdfast.pause_epoch', [
      'doubted %',
    ])
    expect(rows).toEqual([{ doubted: true, generation: 2 }])
  })

  test('a doubt makes a generation that nobody has seen', async () => {
    const doubted = async (seen: number): Promise<unknown> => {
      await fleet.database.query('select holdfast.pause_doubt($1)', [seen])
      return (await fleet.database.query('select generation from holdfast.pause_epoch')).rows[0]
    }
    expect(await doubted(7)).toEqual({ generation: 8 })
    expect(await doubted(3)).toEqual({ generation: 9 })
  })

  test.skipIf(fleet.kind === 'pglite')(
    'a slot is on the disk before it is granted, however the server is set',
    async () => {
      const slots = slotsOf('db1')
      let written = 0
      for (let round = 0; round < 5; round++) {
        const slot = grantedSlot(await slots.take())
        const { rows } = await fleet.database.query<{ all: boolean }>(
          'select pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() as all',
        )
        if (rows[0]?.all) written++
        await freeSlots(fleet.database, slot)
      }
      // The server may write something of its own in between.
      expect(written).toBeGreaterThanOrEqual(4)
    },
  )

  test('the agent that starts again gives back what it had, unless its service still knows a lease', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'agent-'))
    const identity = agentIdentity(folder)
    rmSync(folder, { recursive: true })
    const before = slotsOf('db1', { identity })
    grantedSlot(await before.take())
    grantedSlot(await slotsOf('db2').take())
    const left = await slotsLeftBy(fleet.database, identity)
    const { signal } = new AbortController()
    const lease = { leaseId: 'l', fence: 1, holder: 'holdfast-1', expiresInMs: 9, tenant: 'acme' as never }
    const leasesOf = (leases: readonly (typeof lease)[]) => ({
      via: 'admin-api' as const,
      leases: () => Promise.resolve(leases),
    })
    const another = { ...lease, holder: 'backup' }
    expect(await releaseLeft(fleet.database, left, leasesOf([another, lease]), signal)).toBe(0)
    expect(await releaseLeft(fleet.database, left, leasesOf([another]), signal)).toBe(2)
    expect(await heldRows()).toEqual([
      { scope: 'fleet', slot: 2, holder: 'db2' },
      { scope: 'service:notes', slot: 2, holder: 'db2' },
    ])
    expect(await slotsLeftBy(fleet.database, identity)).toEqual([])
  })

  test('a database that does not answer is no slot, and what was not given back is given back later', async () => {
    const database = await fleet.open()
    const slots = slotsOf('db1', { database })
    const taken = grantedSlot(await slots.take())
    await fleet.database.query('alter table holdfast.pause_slot rename to pause_slot_away')
    slots.release(taken)
    await slots.untilReturned()
    expect(refusedSlot(await slots.take()).why).toMatch(/^the database of the fleet does not answer/)
    expect(troubles.length).toBe(2)
    await fleet.database.query('alter table holdfast.pause_slot_away rename to pause_slot')
    const again = grantedSlot(await slots.take())
    await expect.poll(heldRows).toHaveLength(2)
    slots.release(again)
    await slots.untilReturned()
    expect(await heldRows()).toEqual([])
    await database[Symbol.asyncDispose]()
  })
})
