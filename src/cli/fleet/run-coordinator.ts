/** A coordinator in this process, with the sinks of its configuration. */

import { fleetHeartbeat } from '../../alarm/fleet/fleet-heartbeat.ts'
import { fleetAlarmSender } from '../../alarm/fleet/send-fleet-alarm.ts'
import { coordinate } from '../../fleet/coordinator/coordinate.ts'
import type { FleetDatabase } from '../../fleet/database/database.ts'
import { printableSentence } from '../../text/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { SettingsOfFleet } from './read-fleet.ts'

/**
 * Works until a signal comes.
 * @param database as its owner has it
 * @throws {Failure} FLEET_REFUSED, FLEET_TOO_NEW, FLEET_PACKAGE_MISSING and others that waiting does not mend
 */
export async function runCoordinator(
  settings: SettingsOfFleet,
  database: FleetDatabase,
  terminal: Terminal,
): Promise<void> {
  const { fleet, alerts, file } = settings
  const say = (notice: string): void => terminal.say(`holdfast: ${printableSentence(notice)}`)
  // Another person reads the alarm, in another folder.
  const config = terminal.commandLine.config ?? (file === '/etc/holdfast/holdfast.yaml' ? null : file)
  const send = fleetAlarmSender(alerts, config, ({ sink, why }) => {
    if (why !== null) say(`an alarm did not reach ${sink}: ${why}`)
  })
  const { signal } = terminal.interrupt
  const heartbeat = fleetHeartbeat(alerts)
  await coordinate({ database, fleet, version: terminal.version, send, heartbeat, onNotice: say, signal })
}
