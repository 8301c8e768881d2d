/** Brings the alarms of the fleet to the sinks of the coordinator's configuration. */
import type { AlertSink } from '../../config/settings.ts'
import type { FleetAlarm, SendFleetAlarm } from '../../fleet/alarms/send-conditions.ts'
import { Delivery, type SendAttempt } from '../delivery.ts'
import { sinksIn, sinkGetsAll } from '../sinks/sink.ts'
import { alarmOfFleet } from './fleet-alarm.ts'

/**
 * @param config the configuration that commands must name; null if they find it
 * @param onAttempt called with each attempt to reach a sink
 * @returns resolves to true if each sink that gets such alarms has taken it, also if there is none
 */
export function fleetAlarmSender(
  alerts: readonly AlertSink[],
  config: string | null,
  onAttempt: (attempt: SendAttempt) => void,
): SendFleetAlarm {
  const sinks = sinksIn(alerts)
  // A sink that took an alarm does not get it again because another one did not.
  const taken = new Set<string>()
  return async (alarm: FleetAlarm): Promise<boolean> => {
    const kinds = alarm.over === null ? [alarm.severity] : [alarm.severity, alarm.over]
    const document = alarmOfFleet(alarm, config)
    const delivery = new Delivery({ onAttempt, onDelivered: () => Promise.resolve() })
    const open = sinks.filter((sink) => sinkGetsAll(sink, kinds) && !taken.has(`${sink.key} ${alarm.id}`))
    const answers = await Promise.all(
      open.map(async (sink) => {
        const isTaken = await delivery.send(sink, document)
        if (isTaken) taken.add(`${sink.key} ${alarm.id}`)
        return isTaken
      }),
    )
    const isDone = answers.every(Boolean)
    if (isDone) for (const sink of sinks) taken.delete(`${sink.key} ${alarm.id}`)
    return isDone
  }
}
