/**
 * Opens the PGlite folder argv[2] as a coordinator does, with our tables and one more, and serves others until stdin
 * ends. Prints {"open":true}, or {"refused":"CODE"} and ends.
 */
import { writeSync } from 'node:fs'
import { migrateFleet } from '../../../../src/fleet/database/migrate.ts'
import { ownFleetDatabase } from '../../../../src/fleet/database/open-database.ts'
import { Failure } from '../../../../src/model/failure.ts'

const stdinEnded = new Promise((resolve) => process.stdin.on('end', resolve).resume())
try {
  const address = { kind: 'pglite', dir: process.argv[2] ?? '' } as const
  await using database = await ownFleetDatabase({ database: address, passwordFile: null, caFile: null })
  await migrateFleet(database)
  await database.query('create table if not exists probe(id text primary key, total bigint not null default 0)')
  writeSync(1, '{"open":true}\n')
  await stdinEnded
} catch (error) {
  if (!(error instanceof Failure)) throw error
  writeSync(1, `${JSON.stringify({ refused: error.code })}\n`)
}
