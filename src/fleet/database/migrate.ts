/** Makes and migrates the tables of the schema `holdfast`. Only the coordinator does, with the role that owns them. */

import type { FleetDatabase } from './database.ts'
import { schemaScript } from './schema/schema.ts'

/** Counts up with each change of the tables that an older program does not understand. */
export const fleetSchemaVersion = 1

/** Two coordinators that start together do it one after the other. @throws {Failure} FLEET_TOO_NEW */
export async function migrateFleet(database: FleetDatabase): Promise<void> {
  await database.query(`
begin;
select pg_advisory_xact_lock(7100118, 0);
${schemaScript}
insert into holdfast.schema_version(version) values (${fleetSchemaVersion}) on conflict do nothing;
commit;`)
}
