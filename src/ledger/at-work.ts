/** Which open holds belong to a run that is still working, and which were left behind. */

import { ageOf } from '../model/age.ts'
import type { OpenHold } from '../model/event.ts'
import type { OtherHold } from '../model/service-way.ts'
import { goneRuns } from './run-lock/run-liveness.ts'

/**
 * A hold was left behind if its lease must have ended, or if its run is gone or has lost the run lock to another. It
 * was also left behind if it was asked for at a time in the future: then the end of its lease is not known.
 * @param service of the hold; null if it is not known
 */
export async function isOfRunningRun(
  dir: string,
  service: string | null,
  hold: OpenHold,
  now: number,
): Promise<boolean> {
  if (hold.endsBy < now || ageOf(hold.askedAt, now) === null) return false
  return service === null || !(await goneRuns(dir, service))(hold.run)
}

/** The holds of others that were left behind. */
export async function findAbandonedHolds(holds: readonly OtherHold[], dir: string): Promise<readonly OtherHold[]> {
  const now = Date.now()
  const atWork = await Promise.all(holds.map((hold) => isOfRunningRun(dir, hold.service, hold, now)))
  return holds.filter((_, at) => atWork[at] !== true)
}
