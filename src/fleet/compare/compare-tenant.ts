/** `fleet compare`: all copies of a tenant by their stored digests. Reads the database of the fleet, and no tenant. */

import type { FleetDatabase } from '../database/database.ts'
import { compareCopies } from './compare-copies.ts'
import type { CopiesOfFile, FleetComparison, PairByKey } from './fleet-comparison.ts'
import { countCopies, exitCodeOfCopies, outcomeOfCopies } from './judge-copies.ts'
import { readCopies } from './read-copies.ts'

export interface ComparedTenant {
  readonly tenant: string
  /** As in `readCopies`. */
  readonly services: readonly string[] | null
  /** Of holdfast. */
  readonly version: string
  /** Compares rows too; null: digests alone. @returns the pairs of each file, by the name of the file */
  readonly byKey: ((files: readonly CopiesOfFile[]) => Promise<ReadonlyMap<string, readonly PairByKey[]>>) | null
}

/** @throws {Failure} as `readCopies` */
export async function compareTenant(
  database: FleetDatabase,
  { tenant, services, version, byKey }: ComparedTenant,
): Promise<FleetComparison> {
  const read = async () => readCopies(database, tenant, services)
  const before = await read()
  const pairs = byKey === null ? null : await byKey(compareCopies(before.copies))
  // The agents have checked the snapshots whose rows were compared, and have stored their digests.
  const { copies, more } = pairs === null ? before : await read()
  const files = compareCopies(copies).map((file): CopiesOfFile => {
    const ofFile = pairs?.get(file.name)
    return ofFile === undefined ? file : { ...file, byKey: ofFile }
  })
  return {
    schema: 'holdfast.fleetcompare/1',
    tool: { version },
    tenant,
    comparedAt: new Date().toISOString(),
    outcome: outcomeOfCopies(files, more),
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
