/** A coordinator that only sends alarms, on a clock of the test. */
import { ConditionSender, type FleetAlarm } from '../../../src/fleet/alarms/send-conditions.ts'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'

export interface AlarmSender {
  /** All that it gave to its sink. */
  readonly alarms: FleetAlarm[]
  readonly clock: { ms: number }
  readonly sender: ConditionSender
  /** The alarms as `severity over tenant`, or the host where there is no tenant. */
  said(): readonly string[]
}

/** @param takes whether the sink takes an alarm */
export function alarmSender(database: FleetDatabase, id: string, takes: () => boolean = () => true): AlarmSender {
  const clock = { ms: 0 }
  const alarms: FleetAlarm[] = []
  const send = (alarm: FleetAlarm): Promise<boolean> => {
    alarms.push(alarm)
    return Promise.resolve(takes())
  }
  return {
    alarms,
    clock,
    sender: new ConditionSender({ database, id, send, now: () => clock.ms }),
    said: () =>
      alarms.flatMap(({ severity, over, conditions }) =>
        conditions.map(({ tenant, host }) =>
          [severity, over, tenant ?? host].filter((word) => word !== null).join(' '),
        ),
      ),
  }
}
