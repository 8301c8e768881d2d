/** `fleet compare`: all copies of a tenant by their stored digests. Reads the database of the fleet, and no tenant. */

import type { FleetDatabase } from '../database/database.ts'
import { compareCopies } from './compare-copies.ts'
import { countCopies, exitCodeOfCopies, outcomeOf } from './copies-word.ts'
import type { FleetComparison } from './fleet-comparison.ts'
import { readCopies } from './read-copies.ts'

interface ComparedTenant {
  readonly tenant: string
  /** As in `readCopies`. */
  readonly services: readonly string[] | null
  /** Of holdfast. */
  readonly version: string
}

/** @throws {Failure} as `readCopies` */
export async function compareTenant(
  database: FleetDatabase,
  { tenant, services, version }: ComparedTenant,
): Promise<FleetComparison> {
  const { copies, more } = await readCopies(database, tenant, services)
  const files = compareCopies(copies)
  return {
    schema: 'holdfast.fleetcompare/1',
    tool: { version },
    tenant,
    comparedAt: new Date().toISOString(),
    outcome: outcomeOf(files, more),
    files,
    ...(more ? { copiesLeftOut: true } : {}),
    summary: {
      copies: copies.length,
      files: countCopies(files.map(({ comparison }) => comparison)),
      tables: countCopies(files.flatMap(({ tables }) => tables.map(({ comparison }) => comparison))),
      exitCode: exitCodeOfCopies(files, more),
    },
  }
}
