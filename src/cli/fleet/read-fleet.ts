/** Opens the database of the fleet for a command that only asks it. */
import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import type { Settings } from '../../config/settings.ts'
import type { FleetDatabase } from '../../fleet/database/database.ts'
import { openFleetDatabase } from '../../fleet/database/open-database.ts'
import { Failure } from '../../model/failure.ts'
import { settingsToRead } from '../read-ledger.ts'

export type SettingsOfFleet = Settings & { readonly fleet: FleetSettings }

/** @throws {Failure} CONFIG_INVALID, also without fleet.database */
export async function fleetToRead(config: string | undefined): Promise<SettingsOfFleet> {
  const settings = await settingsToRead(config ?? null)
  const { fleet, file } = settings
  if (fleet !== null) return { ...settings, fleet }
  throw new Failure('CONFIG_INVALID', `${file} has no fleet.database, so this host belongs to no fleet`, {
    hint: 'name the database of the fleet with fleet.database; `holdfast explain fleet.database` says more',
  })
}

/** A question over all files of a large fleet takes seconds, and more while a sweep works. */
const statementMs = 60_000

/** @throws {Failure} FLEET_* */
export async function askFleet<Value>(
  { fleet }: SettingsOfFleet,
  work: (database: FleetDatabase) => Promise<Value>,
): Promise<Value> {
  await using database = await openFleetDatabase(fleet, statementMs)
  return await work(database)
}
