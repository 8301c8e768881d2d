/** Which conditions are noted, and which are over: what stands still is told, and no recovery that is none. */
import { expect, it } from 'vitest'
import { noteConditions } from '../../../src/fleet/alarms/note-conditions.ts'
import { weekOf } from '../../../src/fleet/jobs/week-of-run.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { alarmSender, type AlarmSender } from '../../support/fleet/alarm-sender.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { insertPlaces, registerHosts } from '../../support/fleet/fleet-tables.ts'

const run = newRunId()
const week = weekOf(run)

eachDatabase((fleet) => {
  const change = (sql: string) => fleet.database.query(sql)
  const note = (): Promise<void> => noteConditions(fleet.database, { silent: [], isRunOpen: false })

  /** Notes what holds now, and sends what is new. */
  async function tellNow({ clock, sender }: AlarmSender): Promise<void> {
    await note()
    clock.ms += 60_000
    await sender.send()
  }

  it('a file that is gone: its damage is not told, and is not told as over', async () => {
    await insertPlaces(fleet.database, [
      { host: 'a', tenant: 'acme', verdict: 'damaged', checked: 1 },
      { host: 'a', tenant: 'gone', verdict: 'damaged', checked: 1 },
    ])
    await change(`update holdfast.place set gone_at = now() where tenant = 'gone'`)
    const people = alarmSender(fleet.database, 'one')
    await tellNow(people)
    await change('update holdfast.place set gone_at = now()')
    await tellNow(people)
    expect(people.said()).toEqual(['damaged acme'])
    expect((await change('select from holdfast.told where over_at is null')).rowCount).toBe(0)
  })

  it('what was over before it was told is not told at all', async () => {
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme', verdict: 'damaged', checked: 1 }])
    await note()
    await change(`update holdfast.place set verdict = 'sound', sound_at = now()`)
    const people = alarmSender(fleet.database, 'one')
    await tellNow(people)
    expect(people.said()).toEqual([])
  })

  it('a file that could not be read, and then was damaged, is sound again once', async () => {
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme', verdict: 'inconclusive', checked: 1 }])
    const people = alarmSender(fleet.database, 'one')
    await tellNow(people)
    await change(`update holdfast.place set verdict = 'damaged'`)
    await tellNow(people)
    await change(`update holdfast.place set verdict = 'sound', sound_at = now()`)
    await tellNow(people)
    expect(people.said()).toEqual(['inconclusive acme', 'damaged acme', 'recovered damaged acme'])
  })

  it('a tenant that may be paused is told for each attempt, until a later check could read it', async () => {
    await insertPlaces(fleet.database, [{ host: 'a', tenant: 'acme', verdict: 'sound', sound: 1, checked: 1 }])
    await change(`select holdfast.result_week('${week}')`)
    const fail = (attempt: number) =>
      change(`
        insert into holdfast.result
          (week, run, host, service, tenant, path, attempt, verdict, failure, checked_at)
          values ('${week}', '${run}', 'a', 'notes', 'acme', '/srv/acme.db', ${attempt}, 'failed', 'RESUME_FAILED',
            now())`)
    const people = alarmSender(fleet.database, 'one')
    /** What is not sound, and the stopped pauses of its service, are other alarms. */
    const said = () => people.said().filter((alarm) => alarm.includes('paused'))
    await fail(1)
    await tellNow(people)
    await tellNow(people) // The sound check in its place is older.
    expect(said()).toEqual(['paused acme'])
    await fail(3)
    await tellNow(people)
    await change(`update holdfast.place set verdict = 'failed', checked_at = now()`)
    await tellNow(people)
    expect(said()).toEqual(['paused acme', 'paused acme'])
    await change(`update holdfast.place set verdict = 'sound', sound_at = now(), checked_at = now()`)
    await tellNow(people)
    expect(said().slice(2)).toEqual(['recovered paused acme', 'recovered paused acme'])
  })

  it('a clock that differs by more than a minute is told, and that it does not any more', async () => {
    await registerHosts(fleet.database, ['a', 'b', 'c'])
    const people = alarmSender(fleet.database, 'one')
    await change(`update holdfast.host set clock_skew_ms = 60000 where name = 'a'`)
    await change(`update holdfast.host set clock_skew_ms = -60001 where name = 'b'`)
    await tellNow(people)
    expect(people.said()).toEqual(['stale b'])
    await change(`update holdfast.host set clock_skew_ms = -60000 where name = 'b'`)
    await tellNow(people)
    expect(people.said().slice(1)).toEqual(['recovered stale b'])
  })

  it('a stop by a person is not told; one that opens again after it was closed is', async () => {
    const open = (scope: string, by: string) =>
      change(`insert into holdfast.breaker (scope, reason, by) values ('${scope}', 'why', '${by}')`)
    const people = alarmSender(fleet.database, 'one')
    await open('service:mail', 'ada')
    await open('fleet', 'coordinator')
    await tellNow(people)
    expect(people.alarms).toMatchObject([{ severity: 'harm', service: null }])
    await change(`delete from holdfast.breaker where scope = 'fleet'`)
    await open('fleet', 'holdfast')
    await tellNow(people)
    expect(new Set(people.alarms.slice(1).map(({ severity }) => severity))).toEqual(new Set(['harm', 'recovered']))
  })
})
