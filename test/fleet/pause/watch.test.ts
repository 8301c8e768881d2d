/**
 * Freeing by watching, the rest after a change of epoch, and the breaker. The clock of who watches goes on only when a
 * test says so.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { closeBreakers, openBreaker, readOpenBreakers } from '../../../src/fleet/pause/breaker.ts'
import { freeSlots } from '../../../src/fleet/pause/pause-slots.ts'
import type { SlotRefusal, TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'
import { setPauseLimits, SlotWatch } from '../../../src/fleet/pause/slot-watch.ts'
import { stopPauses, type StoppedPauses } from '../../../src/fleet/pause/stop-pauses.ts'
import { sleep } from '../../../src/host/clock.ts'
import { eachDatabase, type FleetUnderTest } from '../../support/fleet/each-database.ts'
import { grantedSlot, slotsOf, whileTaking } from '../../support/fleet/pause/asked-slots.ts'
import { whileUncommitted } from '../../support/fleet/while-uncommitted.ts'
import { eventually } from '../../support/processes.ts'

const expiryMs = 600
/** ms on the clock of who watches. */
const pass = (ms: number): void => void vi.advanceTimersByTime(ms)
const nothing = (): Promise<void> => Promise.resolve()

eachDatabase((fleet: FleetUnderTest) => {
  const isGranted = (answer: TakenSlot | SlotRefusal): answer is TakenSlot => 'rows' in answer
  const take = async (host: string): Promise<boolean> => isGranted(await slotsOf(fleet.database, host).take())
  const watch = (): SlotWatch => new SlotWatch(fleet.database, expiryMs)

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['hrtime'] })
    await setPauseLimits(fleet.database, { fleet: 1, service: 1, domain: 1 })
  })
  afterEach(() => void vi.useRealTimers())

  test('a slot is freed only by who has watched it for the expiry, whenever it was taken', async () => {
    expect(await take('db1')).toBe(true)
    await fleet.database.query(`update holdfast.pause_slot set taken_at = now() - interval '1 hour'`)
    const first = watch()
    expect(await first.pass()).toEqual({ held: 2, freed: [], epoch: 'known' })
    pass(expiryMs + 50)
    expect((await watch().pass()).freed).toEqual([]) // It sees the slot for the first time.
    expect(await take('db2')).toBe(false)
    expect((await first.pass()).freed.map(({ scope, holder }) => [scope, holder])).toEqual([
      ['fleet', 'db1'],
      ['service:notes', 'db1'],
    ])
    expect(await take('db2')).toBe(true)
  })

  test('a slot of a host with a longer expiry is watched for that long, and so is another database', async () => {
    const taken = await slotsOf(fleet.database, 'db1', { expiryMs: 4 * expiryMs }).take()
    expect(isGranted(taken)).toBe(true)
    const watching = watch()
    await watching.pass()
    pass(expiryMs + 50)
    expect((await watching.pass()).freed).toEqual([])
    await fleet.database.query(`update holdfast.pause_epoch set id = 'promoted'`)
    expect((await watching.pass()).epoch).toBe('resting')
    pass(expiryMs + 50)
    expect((await watching.pass()).epoch).toBe('resting')
    pass(3 * expiryMs)
    expect((await watching.pass()).epoch).toBe('stored')
  })

  test('a slot that comes and goes is never freed by who watches', async () => {
    const watching = watch()
    const slots = slotsOf(fleet.database, 'db1')
    let taken = await slots.take()
    for (let passed = 0; passed < 3 * expiryMs; passed += expiryMs / 2) {
      pass(expiryMs / 2)
      expect((await watching.pass()).freed).toEqual([])
      if (isGranted(taken)) slots.release(taken)
      await slots.untilReturned()
      taken = await slots.take()
      expect(isGranted(taken)).toBe(true)
    }
  })

  test('after a change of epoch nobody gets a slot until somebody has watched for the expiry', async () => {
    await take('db1')
    await fleet.database.query(`update holdfast.pause_epoch set id = 'promoted'`)
    const [first, second] = [watch(), watch()]
    expect((await first.pass()).epoch).toBe('resting')
    pass(expiryMs + 50)
    expect((await second.pass()).epoch).toBe('resting')
    expect(await take('db2')).toBe(false)
    expect(await first.pass()).toEqual({ held: 2, freed: [], epoch: 'stored' })
    expect((await first.pass()).freed).toEqual([]) // Under the new epoch the slot is watched from the beginning.
    pass(expiryMs + 50)
    expect((await second.pass()).freed).toEqual([])
    expect((await first.pass()).freed).toHaveLength(2)
    expect(await take('db2')).toBe(true)
  })

  /** Calls `before` before the statements that contain a text, and `after` when their answers are there. */
  const interposed = (text: string, { before = nothing, after = nothing }): FleetDatabase => ({
    kind: fleet.kind,
    query: async (statement, values) => {
      if (statement.includes(text)) await before()
      const answer = await fleet.database.query<never>(statement, values)
      if (statement.includes(text)) await after()
      return answer
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })

  test('the wait for an answer does not count as watched', async () => {
    await take('db1')
    let waits = true
    const slow = interposed('pause_epoch_now() as now', { after: async () => pass(waits ? expiryMs + 50 : 0) })
    const watching = new SlotWatch(slow, expiryMs)
    await watching.pass()
    waits = false
    expect((await watching.pass()).freed).toEqual([]) // It was seen only when the first answer came.
    waits = true
    expect((await watching.pass()).freed).toEqual([]) // And then it was asked for immediately.
    waits = false
    expect((await watching.pass()).freed).toHaveLength(2)
  })

  test('what was watched before a foreign epoch does not count, nor a rest that was broken off', async () => {
    await take('db1')
    const be = (epoch: string) => fleet.database.query(`update holdfast.pause_epoch set id = ${epoch}`)
    const watching = watch()
    await watching.pass()
    await be("'another'")
    expect((await watching.pass()).epoch).toBe('resting')
    pass(expiryMs + 50)
    await be('holdfast.pause_epoch_now()')
    expect(await watching.pass()).toEqual({ held: 2, freed: [], epoch: 'known' })
    await be("'another'")
    expect((await watching.pass()).epoch).toBe('resting')
  })

  test('a doubt begins the rest anew, also one that comes when the rest is just ending', async () => {
    await fleet.database.query('select holdfast.pause_doubt(0)')
    const doubt = async () => void (await fleet.database.query('select holdfast.pause_doubt(0)'))
    let isLast = false
    const watching = new SlotWatch(
      interposed('generation = generation + 1', { before: () => (isLast ? nothing() : doubt()) }),
      expiryMs,
    )
    await watching.pass()
    await doubt()
    pass(expiryMs + 50)
    expect((await watching.pass()).epoch).toBe('resting')
    pass(expiryMs + 50)
    expect((await watching.pass()).epoch).toBe('resting') // The doubt came before its last statement.
    isLast = true
    expect((await watching.pass()).epoch).toBe('resting')
    pass(expiryMs + 50)
    expect((await watching.pass()).epoch).toBe('stored')
  })

  test('a rest does not end for an epoch that has just changed again', async () => {
    await fleet.database.query('select holdfast.pause_doubt(0)')
    const promote = async () =>
      void (await fleet.database.query(`create or replace function holdfast.pause_epoch_now() returns text
        language sql as $$ select 'promoted meanwhile' $$`))
    const watching = new SlotWatch(interposed('generation = generation + 1', { before: promote }), expiryMs)
    await watching.pass()
    pass(expiryMs + 50)
    expect((await watching.pass()).epoch).toBe('resting')
    expect(await take('db1')).toBe(false)
  })

  test('rows above a lowered limit go as they come back', async () => {
    await setPauseLimits(fleet.database, { fleet: 3, service: 3, domain: 1 })
    const slots = slotsOf(fleet.database, 'db1')
    const taken = [await slots.take(), await slots.take()].filter(isGranted)
    await setPauseLimits(fleet.database, { fleet: 1, service: 1, domain: 1 })
    const rows = async (): Promise<unknown> =>
      (await fleet.database.query(`select slot from holdfast.pause_slot where scope = 'fleet' order by 1`)).rows
    await watch().pass()
    expect(await rows()).toEqual([{ slot: 1 }, { slot: 2 }])
    for (const one of taken) slots.release(one)
    await slots.untilReturned()
    await watch().pass()
    expect(await rows()).toEqual([{ slot: 1 }])
  })

  const onPostgres = test.skipIf(fleet.kind === 'pglite')
  onPostgres.each([true, false])(
    'who stops the pauses sees a slot that is just being taken (the first: %s)',
    async (isFirst) => {
      if (!isFirst) await freeSlots(fleet.database, grantedSlot(await slotsOf(fleet.database, 'db0').take()))
      vi.useRealTimers()
      const request = { scope: 'fleet', reason: 'the racks move', by: 'ada' }
      let stopping = Promise.resolve<StoppedPauses | null>(null)
      await whileTaking(fleet, ['fleet'], async () => {
        stopping = stopPauses(fleet.database, request, 0, AbortSignal.timeout(60_000))
        stopping.catch(() => undefined) // It is awaited below.
        await eventually('pauses are stopped', async () => (await readOpenBreakers(fleet.database)).length > 0)
      })
      expect((await stopping)?.standing).toMatchObject([{ holder: 'db1' }])
    },
  )

  onPostgres('who stops the pauses waits for a take that has seen no breaker, and has no slot yet', async () => {
    vi.useRealTimers()
    await using agent = await fleet.open()
    const request = { scope: 'fleet', reason: 'the racks move', by: 'ada' }
    let taking = Promise.resolve<TakenSlot | SlotRefusal | null>(null)
    let stopping = Promise.resolve<StoppedPauses | null>(null)
    const waiting = `select from pg_locks where locktype = 'transactionid' and not granted`
    // The first scope of the take waits for a row that another one is just making.
    await whileUncommitted(
      fleet,
      `insert into holdfast.pause_slot(scope, slot) values ('domain:rack', 1)`,
      async () => {
        taking = slotsOf(agent, 'db1', { domain: 'rack' }).take()
        taking.catch(() => undefined) // It is awaited below.
        await eventually('the take waits', async () => (await fleet.database.query(waiting)).rowCount > 0)
        stopping = stopPauses(fleet.database, request, 0, AbortSignal.timeout(60_000))
        stopping.catch(() => undefined) // It is awaited below.
        await eventually('pauses are stopped', async () => (await readOpenBreakers(fleet.database)).length > 0)
        await sleep(500)
      },
    )
    expect(await taking).toHaveProperty('rows')
    expect((await stopping)?.standing).toMatchObject([{ holder: 'db1' }])
  })

  test.each(['fleet', 'service:notes'])('while the breaker of %s is open, nobody gets a slot', async (scope) => {
    const reason = 'the mounts are being moved\u001b[2J'
    const opened = await openBreaker(fleet.database, { scope, reason, by: 'ada' })
    expect(await openBreaker(fleet.database, { scope, reason: 'other', by: 'bob' })).toEqual(opened)
    const answer = await slotsOf(fleet.database, 'db1').take()
    expect(answer).toMatchObject({ refused: 'stopped' })
    expect(JSON.stringify(answer)).not.toContain('\\u001b[')
    expect(await closeBreakers(fleet.database, 'domain:other', 'ada')).toEqual([])
    expect(await take('db1')).toBe(false)
    expect(await closeBreakers(fleet.database, null, 'ada')).toEqual([opened])
    expect([await take('db1'), await readOpenBreakers(fleet.database)]).toEqual([true, []])
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
  const scopes = async (): Promise<readonly string[]> =>
    (await readOpenBreakers(fleet.database)).map(({ scope }) => scope)

  test.each([
    ['LOCK_NOT_HONOURED', 'fleet'],
    ['HARM_SUSPECTED', 'fleet'],
    ['RESUME_FAILED', 'service:notes'],
  ])('a result with %s opens the breaker of %s, unless it is old', async (failure, scope) => {
    await deliver('before', failure, 1, '2 days')
    await deliver('other', 'IN_USE', 3)
    expect(await scopes()).toEqual([])
    await deliver('now', failure, 2)
    expect((await readOpenBreakers(fleet.database)).map(({ scope: of, by }) => [of, by])).toEqual([[scope, 'holdfast']])
  })

  test('a sign of harm is seen although a person has stopped the pauses, whose reason is kept', async () => {
    await openBreaker(fleet.database, { scope: 'fleet', reason: 'move of the racks', by: 'ada' })
    await deliver('now', 'HARM_SUSPECTED', 1)
    const [seen] = await readOpenBreakers(fleet.database)
    expect(seen).toMatchObject({
      by: 'holdfast',
      reason: 'HARM_SUSPECTED of tenant tenant-1 on db1; pauses were stopped before by ada: move of the racks',
    })
    await deliver('later', 'LOCK_NOT_HONOURED', 1) // The first sign stays.
    expect(await readOpenBreakers(fleet.database)).toEqual([seen])
  })

  test('lost leases open the breaker above one in a hundred, and count anew after it was closed', async () => {
    await deliver('two', 'LEASE_LOST', 2)
    expect(await scopes()).toEqual([])
    await deliver('sound', null, 297)
    await deliver('third', 'LEASE_LOST', 1)
    expect(await scopes()).toEqual([]) // Three of 300.
    await deliver('more', 'LEASE_LOST', 2)
    expect(await scopes()).toEqual(['service:notes']) // The last three of three.
    await closeBreakers(fleet.database, 'service:notes', 'ada')
    await deliver('again', 'LEASE_LOST', 2)
    expect(await scopes()).toEqual([])
    await deliver('third again', 'LEASE_LOST', 1)
    expect(await scopes()).toEqual(['service:notes'])
  })

  test('who stops pauses waits for a slot as long as its host may use it', async () => {
    vi.useRealTimers()
    const slots = slotsOf(fleet.database, 'db1', { expiryMs: 20_000 })
    const taken = await slots.take()
    if (!isGranted(taken)) throw new Error(taken.why)
    const request = { scope: 'fleet', reason: 'power', by: 'ada' }
    const stopping = stopPauses(fleet.database, request, 0, AbortSignal.timeout(60_000))
    await sleep(600)
    slots.release(taken)
    expect((await stopping).standing).toEqual([])
  })
})
