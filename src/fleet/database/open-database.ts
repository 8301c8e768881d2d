/** Opens the database that the section `fleet` names. */

import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import type { FleetDatabase } from './database.ts'
import { ownFolder } from './pglite/own-folder.ts'
import { openStatementClient } from './pglite/statement-client.ts'
import { openPostgres, statementMsMax } from './postgres.ts'

type Access = Pick<FleetSettings, 'database' | 'passwordFile' | 'caFile'>

/**
 * For agents and commands. It does not connect: the first query does.
 * @param statementMs how long a statement may take
 * @throws {Failure} FLEET_PACKAGE_MISSING; CONFIG_INVALID, NO_PERMISSION for a file of the section
 */
export function openFleetDatabase(fleet: Access, statementMs: number = statementMsMax): Promise<FleetDatabase> {
  const { database } = fleet
  return database.kind === 'pglite'
    ? openStatementClient(database.dir, statementMs)
    : openPostgres(database, fleet, statementMs)
}

/**
 * For the coordinator: with pglite it opens the folder, and serves the other processes of this machine until it is
 * disposed of.
 * @throws {Failure} as `openFleetDatabase`; FLEET_IN_USE
 */
export function ownFleetDatabase(fleet: Access): Promise<FleetDatabase> {
  const { database } = fleet
  return database.kind === 'pglite' ? ownFolder(database.dir) : openPostgres(database, fleet)
}
