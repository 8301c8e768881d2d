/** The roles of a fleet, made by the SQL of src/fleet/SETUP.md as it is written there. */
import { readFileSync } from 'node:fs'
import type { FleetAddress } from '../../../src/config/fleet/fleet-settings.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import type { PostgresCluster } from './postgres-cluster.ts'

const document = readFileSync(new URL('../../../src/fleet/SETUP.md', import.meta.url), 'utf8')

/** Statements for the database `postgres`, and for the new database `holdfast`. */
export const setUpStatements: readonly (readonly string[])[] = Array.from(
  document.matchAll(/^```sql\n(.*?)^```$/gms),
  ([, sql = '']) =>
    sql
      .split(';')
      .map((statement) => statement.trim())
      .filter((statement) => statement !== ''),
)

/** The blocks that hold files of a configuration, each found by what it begins with. */
export function setUpFile(begins: string): string {
  const [, block] = Array.from(document.matchAll(/^```[a-z]*\n(.*?)^```$/gms)).find(([, text = '']) =>
    text.startsWith(begins),
  ) ?? [null, null]
  if (block === undefined || block === null) throw new Error(`SETUP.md has no block that begins with ${begins}`)
  return block
}

export type FleetRole = 'holdfast_coordinator' | 'holdfast_agent' | 'holdfast_reader'

/** @returns the address of the database `holdfast` for each role */
export async function setUpRoles({ address }: PostgresCluster): Promise<(role: FleetRole) => FleetAddress> {
  for (const [at, statements] of setUpStatements.entries()) {
    await using database = await openFleetDatabase({
      database: at === 0 ? address : { ...address, database: 'holdfast' },
      passwordFile: null,
      caFile: null,
    })
    for (const statement of statements) await database.query(statement)
  }
  return (user) => ({ ...address, user, database: 'holdfast' })
}
