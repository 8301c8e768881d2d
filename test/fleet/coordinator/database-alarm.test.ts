/** The alarm of a coordinator that cannot use the database: once, after five minutes, and once that it can again. */
import { expect, test } from 'vitest'
import type { FleetAlarm } from '../../../src/fleet/alarms/send-conditions.ts'
import { DatabaseAlarm } from '../../../src/fleet/coordinator/database-alarm.ts'
import { Failure } from '../../../src/model/failure.ts'

const failure = new Failure('FLEET_UNREACHABLE', 'the database does not answer')
const minute = 60_000

test('it is sent after five minutes, once, and so is its end; the next time it is another alarm', async () => {
  const sent: FleetAlarm[] = []
  const alarm = new DatabaseAlarm((alarm) => Promise.resolve(sent.push(alarm) > 0))
  alarm.worksAgain()
  await alarm.consider(failure, 5 * minute - 1)
  expect(sent).toEqual([])
  for (const minutes of [5, 6, 60]) await alarm.consider(failure, minutes * minute)
  expect(sent).toMatchObject([{ severity: 'stale', conditions: [{ severity: 'stale' }] }])
  expect(sent[0]?.conditions[0]?.text).toContain('the database does not answer')
  expect(Date.now() - (sent[0]?.since.getTime() ?? 0)).toBeGreaterThanOrEqual(5 * minute)
  alarm.worksAgain()
  alarm.worksAgain()
  expect(sent.slice(1)).toMatchObject([{ severity: 'recovered', over: 'stale', conditions: [{ text: null }] }])
  await alarm.consider(failure, 5 * minute)
  expect(sent.slice(2)).toMatchObject([{ severity: 'stale' }])
  expect(new Set(sent.map(({ id }) => id)).size).toBe(3)
})
