/** Whether this host reaches the database of its fleet, as a step of the doctor. A host works without it. */

import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { attempt, fit, warning, type DoctorStep, type StepOutcome } from '../../doctor/steps.ts'
import { Failure } from '../../model/failure.ts'
import { announcementsArrive, notAnnounced } from './announcements.ts'
import { openFleetDatabase } from './open-database.ts'
import { requireVersions, schemaVersions } from './versions.ts'

export async function examineDatabase(fleet: FleetSettings): Promise<DoctorStep> {
  const tried = await attempt(() => connect(fleet))
  const about = 'fleet.database'
  if (tried instanceof Failure) return { about, ...warning(`${tried.code}: ${tried.message}`, tried.hint) }
  return { about, ...tried }
}

/** @throws {Failure} FLEET_* */
async function connect(fleet: FleetSettings): Promise<StepOutcome> {
  await using database = await openFleetDatabase(fleet)
  await requireVersions(database)
  const { fleet: version } = await schemaVersions(database)
  const name = database.kind === 'pglite' ? 'PGlite' : 'PostgreSQL'
  const answers = `${name} answers, and its tables have version ${version}`
  if (await announcementsArrive(database, fleet)) return fit(answers)
  return warning(`${answers}; but ${notAnnounced.said}`, notAnnounced.next)
}
