/** The database of the fleet as the one process has it that opened the folder. It serves the others. */

import { AsyncDisposables } from '../../../host/disposal.ts'
import { columnTypes } from '../column-types.ts'
import { databaseFailure } from '../database-failure.ts'
import type { FleetDatabase } from '../database.ts'
import { PgliteEngine } from './pglite-engine.ts'
import { queryAnswerOf } from './read-answer.ts'
import { serveStatements } from './statement-server.ts'

/** @throws {Failure} FLEET_IN_USE, FLEET_PACKAGE_MISSING */
export async function ownFolder(dir: string): Promise<FleetDatabase> {
  const { read } = await columnTypes()
  await using opened = new AsyncDisposables()
  const engine = opened.add(await PgliteEngine.open(dir))
  opened.add(await serveStatements(engine, dir))
  const owned = opened.move()
  return {
    kind: 'pglite',
    async query(text, values = []) {
      try {
        return queryAnswerOf(await engine.run(text, values), read)
      } catch (error) {
        throw databaseFailure(error, `the database of the fleet (${dir})`)
      }
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  }
}
