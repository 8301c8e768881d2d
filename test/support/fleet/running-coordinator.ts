/** A coordinator in the process of the test. */
import type { FleetSettings } from '../../../src/config/fleet/fleet-settings.ts'
import type { FleetAlarm } from '../../../src/fleet/alarms/send-conditions.ts'
import { coordinate } from '../../../src/fleet/coordinator/coordinate.ts'
import type { FleetUnderTest } from './each-database.ts'
import { fleetSettings } from './fleet-settings.ts'

export interface RunningCoordinator extends AsyncDisposable {
  readonly notices: readonly string[]
  readonly alarms: readonly FleetAlarm[]
  /** Rejects with what has ended it. */
  readonly ended: Promise<void>
}

export function startCoordinator(
  fleet: Pick<FleetUnderTest, 'database' | 'address'>,
  {
    settings = {},
    takes = () => true,
    now,
  }: { settings?: Partial<FleetSettings>; takes?: (alarm: FleetAlarm) => boolean; now?: () => number } = {},
): RunningCoordinator {
  const notices: string[] = []
  const alarms: FleetAlarm[] = []
  const end = new AbortController()
  const works = coordinate({
    database: fleet.database,
    fleet: fleetSettings(fleet, settings),
    version: 'test',
    send: (alarm) => {
      alarms.push(alarm)
      return Promise.resolve(takes(alarm))
    },
    heartbeat: null,
    onNotice: (notice) => void notices.push(notice),
    signal: end.signal,
    ...(now === undefined ? {} : { now }),
  })
  works.catch(() => undefined) // The disposal throws it.
  return {
    notices,
    alarms,
    ended: works,
    async [Symbol.asyncDispose]() {
      end.abort()
      await works
    },
  }
}
