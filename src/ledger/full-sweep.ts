/** Which sweep counts as a full one: for `status`, for the heartbeat, and for the next sweep. */

import type { RecordedRun } from './ledger.ts'

type FinishedRun = Pick<RecordedRun, 'finished'>

/**
 * True for a sweep of all tenants at full depth that reached every file. Files that were not due count as reached:
 * their own checks still count.
 */
export const isFullSweep = (run: FinishedRun): boolean =>
  isFullyCovered(run) && run.finished !== null && run.finished.whole && run.finished.selected + run.finished.notDue > 0

/** True if a run came to its end and reached every file that it took. */
export const isFullyCovered = ({ finished }: FinishedRun): boolean =>
  finished !== null && finished.covered === finished.selected
