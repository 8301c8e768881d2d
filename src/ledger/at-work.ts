/** Is a hold that stands open in the ledger that of a run at work, or was it left behind? */

import { ageOf } from '../model/age.ts'
import type { OpenHold } from '../model/event.ts'
import type { OtherHold } from '../model/service-way.ts'
import { goneRuns } from './run-lock/run-liveness.ts'

/**
 * A hold was left behind when its lease must have ended; when its run is gone, or has given the run lock to another;
 * and when it was asked for at a time that is yet to come, for then nobody knows when its lease ends.
 * @param service whose hold it is; null where that is not known
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

/** Of holds of others those that nobody is at work on. */
export async function leftBehind(holds: readonly OtherHold[], dir: string): Promise<readonly OtherHold[]> {
  const now = Date.now()
  const atWork = await Promise.all(holds.map((hold) => isOfRunningRun(dir, hold.service, hold, now)))
  return holds.filter((_, at) => atWork[at] !== true)
}
