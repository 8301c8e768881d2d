/**
 * Whether what one connection announces reaches another that listens. A pooler that gives each transaction another
 * connection to the server, as PgBouncer in transaction mode, takes LISTEN without an error and loses announcements.
 */

import { randomUUID } from 'node:crypto'
import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { sleep } from '../../host/clock.ts'
import { databaseFailure } from './database-failure.ts'
import type { FleetDatabase } from './database.ts'
import { loadPg } from './optional-packages.ts'
import { postgresConnection } from './postgres.ts'

/** What it means for an agent, and what to do about it. */
export const notAnnounced = {
  said: 'new jobs are not announced to this host: an agent here begins its tenants up to 15 s late',
  next: 'if PgBouncer is between this host and the database, set fleet.notify: false',
} as const

/** Without a pooler it takes some milliseconds. */
const arrivesWithinMs = 2_000

/** True for pglite, and if nothing is announced by the configuration. @throws {Failure} FLEET_* */
export async function announcementsArrive(database: FleetDatabase, fleet: FleetSettings): Promise<boolean> {
  if (fleet.database.kind === 'pglite' || !fleet.notify) return true
  const { Client } = (await loadPg()).default
  const listener = new Client(await postgresConnection(fleet.database, fleet))
  listener.on('error', () => {}) // Its statements reject.
  const channel = `holdfast_${randomUUID()}`
  const arrived = new Promise<true>((resolve) => void listener.once('notification', () => resolve(true)))
  try {
    await listener.connect()
    await listener.query(`listen "${channel}"`)
    await database.query("select pg_notify($1, '')", [channel])
    return (await Promise.race([arrived, sleep(arrivesWithinMs)])) === true
  } catch (error) {
    throw databaseFailure(error, 'announcements of jobs')
  } finally {
    await listener.end().catch(() => {})
  }
}
