/** Freeing by watching, the rest after a change of epoch, and the breaker. */
import { beforeEach, expect, test } from 'vitest'
import { closeBreakers, openBreaker, openBreakers } from '../../../src/fleet/pause/breaker.ts'
import { PauseSlots } from '../../../src/fleet/pause/pause-slots.ts'
import type { NotGranted, TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'
import { setPauseLimits, SlotWatch } from '../../../src/fleet/pause/slot-watch.ts'
import { stopPauses } from '../../../src/fleet/pause/stop-pauses.ts'
import { sleep } from '../../../src/host/clock.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'

const expiryMs = 600

eachDatabase((fleet: FleetUnderTest) => {
  const slotsOf = (host: string, ofHostMs = 0): PauseSlots =>
    new PauseSlots({
      database: fleet.database,
      host,
      identity: host,
      service: 'notes',
      domain: null,
      expiryMs: ofHostMs,
      onTrouble: (trouble) => {
        throw trouble
      },
    })
  const isGranted = (answer: TakenSlot | NotGranted): answer is TakenSlot => 'rows' in answer
  const take = async (host: string): Promise<boolean> => isGranted(await slotsOf(host).take())
  const watch = (): SlotWatch => new SlotWatch(fleet.database, expiryMs)

  beforeEach(() => setPauseLimits(fleet.database, { fleet: 1, service: 1, domain: 1 }))

  test('a slot is freed only by who has watched it for the expiry, whenever it was taken', async () => {
    expect(await take('db1')).toBe(true)
    await fleet.database.query(`update holdfast.pause_slot set taken_at = now() - interval '1 hour'`)
    const first = watch()
    expect(await first.pass()).toEqual({ held: 2, freed: [], epoch: 'known' })
    await sleep(expiryMs + 50)
    expect((await watch().pass()).freed).toEqual([]) // It sees the slot for the first time.
    expect(await take('db2')).toBe(false)
    expect((await first.pass()).freed.map(({ scope, holder }) => [scope, holder])).toEqual([
      ['fleet', 'db1'],
      ['service:notes', 'db1'],
    ])
    expect(await take('db2')).toBe(true)
  })

  test('a slot of a host with a longer expiry is watched for that long, and so is another database', async () => {
    const taken = await slotsOf('db1', 4 * expiryMs).take()
    expect(isGranted(taken)).toBe(true)
    const watching = watch()
    await watching.pass()
    await sleep(expiryMs + 50)
    expect((await watching.pass()).freed).toEqual([])
    await fleet.database.query(`update holdfast.pause_epoch set id = 'promoted'`)
    expect((await watching.pass()).epoch).toBe('resting')
    await sleep(expiryMs + 50)
    expect((await watching.pass()).epoch).toBe('resting')
    await sleep(3 * expiryMs)
    expect((await watching.pass()).epoch).toBe('stored')
  })

  test('a slot that comes and goes is never freed by who watches', async () => {
    const watching = watch()
    const slots = slotsOf('db1')
    let taken = await slots.take()
    for (const end = performance.now() + 3 * expiryMs; performance.now() < end; await sleep(20)) {
      expect((await watching.pass()).freed).toEqual([])
      if (isGranted(taken)) slots.release(taken)
      await slots.settled()
      taken = await slots.take()
      expect(isGranted(taken)).toBe(true)
    }
  })

  test('after a change of epoch nobody gets a slot until somebody has watched for the expiry', async () => {
    await take('db1')
    await fleet.database.query(`update holdfast.pause_epoch set id = 'promoted'`)
    const [first, second] = [watch(), watch()]
    expect((await first.pass()).epoch).toBe('resting')
    await sleep(expiryMs + 50)
    expect((await second.pass()).epoch).toBe('resting')
    expect(await take('db2')).toBe(false)
    expect(await first.pass()).toEqual({ held: 2, freed: [], epoch: 'stored' })
    expect((await first.pass()).freed).toEqual([]) // Under the new epoch the slot is watched from the beginning.
    await sleep(expiryMs + 50)
    expect((await second.pass()).freed).toEqual([])
    expect((await first.pass()).freed).toHaveLength(2)
    expect(await take('db2')).toBe(true)
  })

  test('rows above a lowered limit go as they come back', async () => {
    await setPauseLimits(fleet.database, { fleet: 3, service: 3, domain: 1 })
    const slots = slotsOf('db1')
    const taken = [await slots.take(), await slots.take()].filter(isGranted)
    await setPauseLimits(fleet.database, { fleet: 1, service: 1, domain: 1 })
    const rows = async (): Promise<unknown> =>
      (await fleet.database.query(`select slot from holdfast.pause_slot where scope = 'fleet' order by 1`)).rows
    await watch().pass()
    expect(await rows()).toEqual([{ slot: 1 }, { slot: 2 }])
    for (const one of taken) slots.release(one)
    await slots.settled()
    await watch().pass()
    expect(await rows()).toEqual([{ slot: 1 }])
  })

  test.skipIf(fleet.kind === 'pglite')('who stops the pauses sees a slot that was just being taken', async () => {
    await take('db0') // Makes the rows.
    await fleet.database.query('update holdfast.pause_slot set holder = null')
    await using other = await fleet.open()
    const taking = other.query(`begin;
      select holdfast.pause_take(array['fleet'], 'db1', 'a', gen_random_uuid(), 0); select pg_sleep(1.5); commit`)
    await sleep(500)
    const request = { scope: 'fleet', reason: 'the racks move', by: 'ada' }
    const { standing } = await stopPauses(fleet.database, request, 0, AbortSignal.timeout(10_000))
    expect(standing).toMatchObject([{ holder: 'db1' }])
    await taking
  })

  test.each(['fleet', 'service:notes'])('while the breaker of %s is open, nobody gets a slot', async (scope) => {
    const reason = 'the mounts are being moved\u001b[2J'
    const opened = await openBreaker(fleet.database, { scope, reason, by: 'ada' })
    expect(await openBreaker(fleet.database, { scope, reason: 'other', by: 'bob' })).toEqual(opened)
    const answer = await slotsOf('db1').take()
    expect(answer).toMatchObject({ refused: 'stopped' })
    expect(JSON.stringify(answer)).not.toContain('\\u001b[')
    expect(await closeBreakers(fleet.database, 'domain:other', 'ada')).toEqual([])
    expect(await take('db1')).toBe(false)
    expect(await closeBreakers(fleet.database, null, 'ada')).toEqual([opened])
    expect([await take('db1'), await openBreakers(fleet.database)]).toEqual([true, []])
  })

  const week = '2026-11-23'
  const deliver = async (run: string, failure: string | null, results: number, age = '0 s'): Promise<void> => {
    await fleet.database.query('select holdfast.result_week($1)', [week])
    await fleet.database.query(
      `insert into holdfast.result(week, run, host, service, tenant, path, attempt, verdict, failure, checked_at)
        select $1, $2, 'db1', 'notes', 'tenant-' || n, '/srv/a.db', 1, 'failed', $3, now() - $5::interval
        from generate_series(1, $4::integer) n`,
      [week, run, failure, results, age],
    )
  }
  const scopes = async (): Promise<readonly string[]> => (await openBreakers(fleet.database)).map(({ scope }) => scope)

  test.each([
    ['LOCK_NOT_HONOURED', 'fleet'],
    ['HARM_SUSPECTED', 'fleet'],
    ['RESUME_FAILED', 'service:notes'],
  ])('a result with %s opens the breaker of %s, unless it is old', async (failure, scope) => {
    await deliver('before', failure, 1, '2 days')
    await deliver('other', 'IN_USE', 3)
    expect(await scopes()).toEqual([])
    await deliver('now', failure, 2)
    expect((await openBreakers(fleet.database)).map(({ scope: of, by }) => [of, by])).toEqual([[scope, 'holdfast']])
  })

  test('lost leases open the breaker above one in a hundred, and count anew after it was closed', async () => {
    await deliver('two', 'LEASE_LOST', 2)
    expect(await scopes()).toEqual([])
    await deliver('sound', null, 400)
    await deliver('third', 'LEASE_LOST', 1)
    expect(await scopes()).toEqual([]) // Three of 403.
    await deliver('more', 'LEASE_LOST', 2)
    expect(await scopes()).toEqual(['service:notes']) // The last three of three.
    await closeBreakers(fleet.database, 'service:notes', 'ada')
    await deliver('again', 'LEASE_LOST', 2)
    expect(await scopes()).toEqual([])
    await deliver('third again', 'LEASE_LOST', 1)
    expect(await scopes()).toEqual(['service:notes'])
  })
})
