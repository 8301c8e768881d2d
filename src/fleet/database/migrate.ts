/**
 * Makes and migrates the tables of the schema `holdfast`. Only the coordinator does, with the role that owns them.
 * Agents compare the versions before they start (`versions.ts`).
 */

import { advisoryLock } from './advisory-locks.ts'
import type { FleetDatabase } from './database.ts'
import { schemaScript } from './schema/schema.ts'
import { fleetSchemaVersion, requireNotTooNew, schemaVersions } from './versions.ts'

/**
 * Two coordinators that start together do it one after the other. Tables of the next version are left as they are.
 * @throws {Failure} FLEET_TOO_NEW; FLEET_REFUSED if the role may not create tables
 */
export async function migrateFleet(database: FleetDatabase): Promise<void> {
  const { fleet } = await schemaVersions(database)
  requireNotTooNew(fleet)
  if (fleet !== null && fleet > fleetSchemaVersion) return
  await database.query(`
begin;
select pg_advisory_xact_lock(${advisoryLock.migration});
${unlessNewer}
${schemaScript}
insert into holdfast.schema_version as t(version) values (${fleetSchemaVersion})
  on conflict (one) do update set version = excluded.version, since = now() where t.version < excluded.version;
commit;`)
}

/** A newer coordinator may have migrated since the versions were read: its functions must not become old again. */
const unlessNewer = `
do $$ declare found integer; begin
  if to_regclass('holdfast.schema_version') is not null then
    execute 'select max(version) from holdfast.schema_version' into found;
    if found > ${fleetSchemaVersion} then
      raise exception 'the tables have version % now', found using errcode = 'HF003';
    end if;
  end if;
end $$;`
