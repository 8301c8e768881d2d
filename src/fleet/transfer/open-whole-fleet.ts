/** Opens the database to move it: a folder of PGlite also while no coordinator has it open. */

import { existsSync } from 'node:fs'
import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { Failure } from '../../model/failure.ts'
import type { FleetDatabase } from '../database/database.ts'
import { openFleetDatabase, ownFleetDatabase } from '../database/open-database.ts'

/** A page of many large reports, or a batch of them, on a slow machine. */
const statementMsMax = 120_000

/**
 * @param make whether a folder of PGlite is made if it is missing
 * @throws {Failure} as `ownFleetDatabase`; CONFIG_INVALID if the folder is missing
 */
export async function openWholeFleet(fleet: FleetSettings, make: boolean): Promise<FleetDatabase> {
  const { database } = fleet
  if (database.kind === 'postgres') return openFleetDatabase(fleet, statementMsMax)
  if (!make && !existsSync(database.dir))
    throw new Failure('CONFIG_INVALID', `fleet.database names ${database.dir}, and there is no such folder`)
  try {
    return await ownFleetDatabase(fleet)
  } catch (error) {
    if (error instanceof Failure && error.code === 'FLEET_IN_USE') return openFleetDatabase(fleet, statementMsMax)
    throw error
  }
}
