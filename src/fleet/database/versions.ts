/**
 * The versions of the tables. The coordinator is upgraded first and migrates; agents only read and write rows. An agent
 * works on tables of its own version and of the next one, so that hosts can be upgraded one by one.
 */

import { Failure } from '../../model/failure.ts'
import type { FleetDatabase } from './database.ts'

/**
 * Of our tables. It counts up with each change of them, or of pg-boss's, that an older program does not understand.
 */
export const fleetSchemaVersion = 1
/** Of the tables of the pg-boss that package.json names. Newer ones of pg-boss it can work with. */
export const jobsSchemaVersion = 46

/** null: the tables are not there. */
export interface SchemaVersions {
  readonly fleet: number | null
  readonly jobs: number | null
}

/** @throws {Failure} FLEET_* */
export async function schemaVersions(database: FleetDatabase): Promise<SchemaVersions> {
  return {
    fleet: await versionIn(database, 'holdfast.schema_version'),
    jobs: await versionIn(database, 'pgboss.version'),
  }
}

async function versionIn(database: FleetDatabase, table: string): Promise<number | null> {
  try {
    const { rows } = await database.query<{ readonly version: number | null }>(
      `select max(version) as version from ${table}`,
    )
    return rows[0]?.version ?? null
  } catch (error) {
    if (error instanceof Failure && error.code === 'FLEET_NOT_PREPARED') return null
    throw error
  }
}

/**
 * For agents and commands, before they use the tables.
 * @throws {Failure} FLEET_NOT_PREPARED: coordinator first; FLEET_TOO_NEW
 */
export async function requireVersions(database: FleetDatabase): Promise<void> {
  const { fleet, jobs } = await schemaVersions(database)
  if (fleet === null || jobs === null)
    throw new Failure(
      'FLEET_NOT_PREPARED',
      `the database of the fleet has no tables of ${fleet === null ? 'holdfast' : 'pg-boss'}`,
    )
  if (fleet < fleetSchemaVersion) throw older('holdfast', fleet, fleetSchemaVersion)
  if (jobs < jobsSchemaVersion) throw older('pg-boss', jobs, jobsSchemaVersion)
  requireNotTooNew(fleet)
}

/** @throws {Failure} FLEET_TOO_NEW */
export function requireNotTooNew(fleet: number | null): void {
  if (fleet !== null && fleet > fleetSchemaVersion + 1)
    throw new Failure(
      'FLEET_TOO_NEW',
      `the tables of the fleet have version ${fleet}, and this program works with ${fleetSchemaVersion} and the next`,
    )
}

const older = (whose: string, found: number, needed: number): Failure =>
  new Failure('FLEET_NOT_PREPARED', `the tables of ${whose} have version ${found}, and this program needs ${needed}`)
