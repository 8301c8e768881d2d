/** A long storm against the limit of a fleet on PostgreSQL (test/support/fleet/pause/storm.ts). */
import { migrateFleet } from '../../src/fleet/database/migrate.ts'
import { openFleetDatabase } from '../../src/fleet/database/open-database.ts'
import { raiseStorm } from '../support/fleet/pause/storm.ts'
import { PostgresCluster } from '../support/fleet/postgres-cluster.ts'

export async function soakPauses(seconds: number, seed: number, say: (line: string) => void): Promise<boolean> {
  await using cluster = await PostgresCluster.start()
  const { address } = cluster
  await using database = await openFleetDatabase({ database: address, passwordFile: null, caFile: null })
  await migrateFleet(database)
  const limit = 3
  const outcome = await raiseStorm({
    fleet: { database, address, cluster },
    seconds,
    holdsMin: 1,
    seed,
    agents: 8,
    limit,
  })
  const { mostAtOnce, holds, kills, freezes, inGap, drops, restarts, ended } = outcome
  say(
    `${holds} holds; ${kills} kills, ${freezes} freezes, ${inGap} between slot and request, ${drops} connections ` +
      `dropped, ${restarts} restarts of the database`,
  )
  say(`at most ${mostAtOnce} tenants stood still at once; the limit was ${limit}`)
  for (const end of ended) say(`  WRONG: an agent ended by itself: ${end}`)
  return mostAtOnce <= limit && holds > 0 && ended.length === 0
}
