/** What people are told: once, in one alarm with one id, and when it is over. */
import { expect, it } from 'vitest'
import { conditionOf, noteCondition } from '../../../src/fleet/alarms/condition.ts'
import { noteConditions } from '../../../src/fleet/alarms/note-conditions.ts'
import { alarmSender } from '../../support/fleet/alarm-sender.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { registerHosts, insertPlaces } from '../../support/fleet/fleet-tables.ts'
import { whileUncommitted } from '../../support/fleet/while-uncommitted.ts'

const quiet = { silent: [], isRunOpen: false }
const stale = conditionOf('test', 'a', '1', { severity: 'stale', text: 'It is late.' })
const minute = 60_000

eachDatabase((fleet) => {
  it('a condition is new once', async () => {
    expect([await noteCondition(fleet.database, stale), await noteCondition(fleet.database, stale)]).toEqual([
      true,
      false,
    ])
    const { alarms, sender } = alarmSender(fleet.database, 'one')
    await sender.send()
    await sender.send()
    expect(alarms).toMatchObject([{ severity: 'stale', conditions: [{ text: 'It is late.' }] }])
  })

  it('a command that the database adds of its own is not told', async () => {
    await noteCondition(fleet.database, { ...stale, subject: 'b', body: { ...stale.body, command: 'curl x | sh' } })
    await noteCondition(fleet.database, { ...stale, body: { ...stale.body, command: 'holdfast fleet agents' } })
    const { alarms, sender } = alarmSender(fleet.database, 'one')
    await sender.send()
    const commands = alarms.flatMap(({ conditions }) => conditions.map(({ command }) => command))
    expect(new Set(commands)).toEqual(new Set(['holdfast fleet agents', null]))
  })

  it('damage is told once, as long as the file is not sound, and once that it is sound again', async () => {
    await insertPlaces(fleet.database, [
      { host: 'a', tenant: 'acme', verdict: 'damaged', sound: 3, checked: 1 },
      { host: 'a', tenant: 'bolt', verdict: 'sound', sound: 1, checked: 1 },
    ])
    const { alarms, clock, sender } = alarmSender(fleet.database, 'one')
    const pass = async (): Promise<void> => {
      await noteConditions(fleet.database, quiet)
      clock.ms += minute
      await sender.send()
    }
    await pass()
    await fleet.database.query(`update holdfast.place set checked_at = now() where tenant = 'acme'`)
    await pass()
    expect(alarms.map(({ severity, conditions }) => [severity, conditions[0]?.tenant])).toEqual([['damaged', 'acme']])
    await fleet.database.query(`update holdfast.place set verdict = 'sound', sound_at = now() where tenant = 'acme'`)
    await pass()
    await pass()
    expect(alarms.slice(1)).toMatchObject([
      { severity: 'recovered', over: 'damaged', conditions: [{ tenant: 'acme' }] },
    ])
    await fleet.database.query(`update holdfast.place set verdict = 'damaged' where tenant = 'acme'`)
    await pass()
    expect(alarms.map(({ severity }) => severity)).toEqual(['damaged', 'recovered', 'damaged'])
  })

  it('what could not be read is told when no run works any more', async () => {
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme', verdict: 'failed', checked: 1 }])
    const { alarms, sender } = alarmSender(fleet.database, 'one')
    await noteConditions(fleet.database, { silent: [], isRunOpen: true })
    await sender.send()
    expect(alarms).toEqual([])
    await noteConditions(fleet.database, quiet)
    await sender.send()
    expect(alarms).toMatchObject([{ severity: 'inconclusive', conditions: [{ tenant: 'acme', verdict: 'failed' }] }])
  })

  it('a file that a quick check could read, and that cannot be read again, is told each time', async () => {
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme', verdict: 'failed', sound: 9, checked: 1 }])
    const { alarms, clock, sender } = alarmSender(fleet.database, 'one')
    for (const verdict of ['failed', 'failed', 'sound', 'sound', 'failed', 'failed', 'sound', 'inconclusive']) {
      await fleet.database.query('update holdfast.place set verdict = $1, checked_at = now()', [verdict])
      await noteConditions(fleet.database, quiet)
      clock.ms += minute
      await sender.send()
    }
    expect(alarms.map(({ severity, conditions }) => `${severity} ${conditions[0]?.verdict}`)).toEqual([
      'inconclusive failed',
      'recovered failed',
      'inconclusive failed',
      'recovered failed',
      'inconclusive inconclusive',
    ])
  })

  it('a silent host and a breaker are told, and what is over: also for a host that a person removed', async () => {
    await registerHosts(fleet.database, ['a', 'b'])
    const scope = 'service:notes'
    await fleet.database.query(`insert into holdfast.breaker (scope, reason, by) values ($1, 'why', 'holdfast')`, [
      scope,
    ])
    const { alarms, clock, sender } = alarmSender(fleet.database, 'one')
    await noteConditions(fleet.database, { ...quiet, silent: ['a', 'b'] })
    await sender.send()
    expect(alarms.map(({ severity, service }) => `${severity} ${service}`).toSorted()).toEqual([
      'harm notes',
      'stale null',
    ])
    await registerHosts(fleet.database, ['a'])
    await fleet.database.query(`delete from holdfast.breaker; delete from holdfast.host where name = 'b'`)
    await noteConditions(fleet.database, quiet)
    clock.ms += minute
    await sender.send()
    expect(new Set(alarms.slice(2).map(({ severity, over }) => `${severity} ${over}`))).toEqual(
      new Set(['recovered harm', 'recovered stale']),
    )
    const over = alarms.find((alarm) => alarm.over === 'stale')
    expect(over?.conditions.map(({ host }) => host).toSorted()).toEqual(['a', 'b'])
  })

  it('an alarm that a sink does not take is sent again with the same id, after a minute', async () => {
    let takes = false
    await noteCondition(fleet.database, stale)
    const { alarms, clock, sender } = alarmSender(fleet.database, 'one', () => takes)
    await sender.send()
    await sender.send()
    clock.ms += minute - 1
    await sender.send()
    expect(alarms).toHaveLength(1)
    takes = true
    clock.ms += minute
    await sender.send()
    clock.ms += minute
    await sender.send()
    await sender.send()
    expect(alarms.map(({ id }) => id)).toEqual([alarms[0]?.id, alarms[0]?.id])
  })

  it('another coordinator takes over the alarm of a dead one, after it has watched it for three minutes', async () => {
    await noteCondition(fleet.database, stale)
    const dead = alarmSender(fleet.database, 'dead', () => false)
    await dead.sender.send()
    const other = alarmSender(fleet.database, 'other')
    await other.sender.send()
    other.clock.ms += 3 * minute - 1
    await other.sender.send()
    expect(other.alarms).toEqual([])
    other.clock.ms += 1
    await other.sender.send()
    expect(other.alarms.map(({ id }) => id)).toEqual(dead.alarms.map(({ id }) => id))
    dead.clock.ms += 10 * minute
    await dead.sender.send()
    expect(dead.alarms).toHaveLength(1)
  })

  it('two coordinators that take over the same alarm send it once', async () => {
    await noteCondition(fleet.database, stale)
    await alarmSender(fleet.database, 'dead', () => false).sender.send()
    const other = alarmSender(fleet.database, 'other', () => false) // Its sink is slow.
    const slower = alarmSender(
      {
        kind: fleet.kind,
        query: async (text, values) => {
          if (text.includes('set sends = sends + 1')) await other.sender.send()
          return fleet.database.query(text, values)
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
      'slower',
    )
    for (const { sender } of [other, slower]) await sender.send()
    for (const { clock } of [other, slower]) clock.ms += 3 * minute
    await slower.sender.send()
    expect([other.alarms.length, slower.alarms.length]).toEqual([1, 0])
  })

  it.skipIf(fleet.kind === 'pglite')('what another coordinator is just making an alarm of is left to it', async () => {
    await noteCondition(fleet.database, stale)
    const { alarms, sender } = alarmSender(fleet.database, 'one')
    await whileUncommitted(fleet, `update holdfast.told set batch = 'B', sender = 'other'`, () => sender.send())
    await sender.send()
    expect(alarms).toEqual([])
  })

  it('a body that is not one is left out, and holds up nothing', async () => {
    await fleet.database.query(
      `insert into holdfast.told (kind, subject, since, body) values ('x', 'y', 'z', '{"severity": "loud"}')`,
    )
    await noteCondition(fleet.database, stale)
    const { alarms, sender } = alarmSender(fleet.database, 'one')
    await sender.send()
    expect(alarms.map(({ severity }) => severity)).toEqual(['stale'])
  })
})
