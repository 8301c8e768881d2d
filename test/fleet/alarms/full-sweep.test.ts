/** The heartbeat of a fleet: after a sweep that reached every file of all hosts, once, and if all alarms were taken. */
import { expect, test } from 'vitest'
import { fleetHeartbeat } from '../../../src/alarm/fleet/fleet-heartbeat.ts'
import { conditionOf, noteCondition } from '../../../src/fleet/alarms/condition.ts'
import { claimFullSweep } from '../../../src/fleet/alarms/full-sweep.ts'
import { openWebServer } from '../../support/alarm/web-server.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'

const whole: object = { depth: 'full', hosts: null, service: null }

eachDatabase((fleet) => {
  const insertRun = async (
    id: string,
    { kind = 'sweep', state = 'done', policy = whole, done = 3, sound = 2, ago = '1 minute' } = {},
  ): Promise<void> => {
    await fleet.database.query(
      `insert into holdfast.run (id, kind, state, policy, total, ended_at)
        values ($1, $2, $3, $4, 3, now() - $5::interval)`,
      [id, kind, state, JSON.stringify(policy), ago],
    )
    await fleet.database.query(
      `insert into holdfast.run_host (run, host, total, done, sound)
        values ($1, 'a', 2, 2, $3), ($1, 'b', 1, $2::integer - 2, 0)`,
      [id, done, sound],
    )
  }
  const find = () => claimFullSweep(fleet.database)

  test('a sweep of all hosts at full depth is found once, after its conditions were noted', async () => {
    await insertRun('just', { ago: '1 second' })
    expect(await find()).toBe(false)
    await fleet.database.query(`update holdfast.run set ended_at = now() - interval '1 minute'`)
    expect([await find(), await find()]).toEqual([true, false])
  })

  test.each([
    ['a triage', { kind: 'triage' }],
    ['one that was stopped', { state: 'stopped' }],
    ['one of some hosts', { policy: { ...whole, hosts: ['a'] } }],
    ['one of a service', { policy: { ...whole, service: 'notes' } }],
    ['a quick one', { policy: { ...whole, depth: 'quick' } }],
    ['one that did not reach a file', { done: 2 }],
    ['one in which nothing could be read', { sound: 0 }],
    ['an old one', { ago: '25 hours' }],
  ])('%s is none', async (_what, run) => {
    await insertRun('r', run)
    expect(await find()).toBe(false)
  })

  test('a file that came after the plan does not make it less', async () => {
    await insertRun('r', { done: 4 })
    expect(await find()).toBe(true)
  })

  test('a chunk that no attempt could examine is not covered', async () => {
    await insertRun('r')
    await fleet.database.query(`select holdfast.result_week('2026-11-23')`)
    await fleet.database.query(
      `insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, failure, checked_at)
        values ('2026-11-23', 'r', 'a', 'notes', 'acme', '/srv/a.db', 0, 'failed', 'FLEET_CHUNK_FAILED', now())`,
    )
    expect(await find()).toBe(false)
  })

  test('while an alarm was not taken the heartbeat stays away', async () => {
    await insertRun('r')
    await noteCondition(fleet.database, conditionOf('test', 'a', '1', { severity: 'damaged', text: 'It is damaged.' }))
    expect(await find()).toBe(false)
    await fleet.database.query('update holdfast.told set sent_at = now()')
    expect(await find()).toBe(true)
  })
})

test('each heartbeat is asked for, and what does not answer is named without its secret', async () => {
  expect(fleetHeartbeat([{ kind: 'webhook', url: 'http://127.0.0.1:9/', on: ['damaged'] }])).toBeNull()
  await using server = await openWebServer()
  const ping = fleetHeartbeat([{ kind: 'heartbeat', url: `${server.url}/secret` }])
  expect(await ping?.()).toEqual([])
  expect(server.requests.map(({ method, path }) => [method, path])).toEqual([['GET', '/secret']])
})
