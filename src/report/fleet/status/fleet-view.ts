/** What all forms of the status of a fleet show. */

import {
  agentMissedMs,
  type FleetCounts,
  type FleetFacts,
  type FleetRun,
  type HostFacts,
} from '../../../fleet/status/fleet-facts.ts'
import { ageOf } from '../../../model/age.ts'

export interface FleetView extends FleetFacts {
  /** Files that no check found sound for longer than this are stale. */
  readonly maxAgeMs: number
  /** A slot is freed by a coordinator that has watched it for as long as this, or for the slot's own expiry. */
  readonly expiryMs: number
  /** The configuration file if the command line named it, because commands must then name it too; else null. */
  readonly configNamed: string | null
}

/** True if the agent has not reported for too long by the clock of the database. */
export const isMissed = ({ seenAt }: Pick<HostFacts, 'seenAt'>, at: number): boolean =>
  (ageOf(seenAt, at) ?? 0) > agentMissedMs

/** The files of all hosts by the verdict of their newest check. */
export function countsOf({ shares }: Pick<FleetView, 'shares'>): FleetCounts {
  const counts = { sound: 0, damaged: 0, inconclusive: 0, failed: 0, never: 0 }
  for (const share of shares)
    for (const key of Object.keys(counts) as (keyof FleetCounts)[]) counts[key] += share.counts[key]
  return counts
}

export const totalOf = (counts: FleetCounts): number =>
  counts.sound + counts.damaged + counts.inconclusive + counts.failed + counts.never

/** The newest sweep over all tenants that came to its end; null if there was none. */
export const lastFullSweep = ({ runs }: Pick<FleetView, 'runs'>): FleetRun | null =>
  runs.find(({ isWhole, state, endedAt }) => isWhole && state === 'done' && endedAt !== null) ?? null

/** Runs that are not at their end, the newest first. */
export const runsUnderWay = ({ runs }: Pick<FleetView, 'runs'>): readonly FleetRun[] =>
  runs.filter(({ endedAt }) => endedAt === null)
