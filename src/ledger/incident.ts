/**
 * Incidents: runs that belong together, so that what one found sound can be compared with what the next one finds
 * (I1.8). A triage begins an incident, unless one is open; every run on the service joins the open one. Pure.
 */

import { ageOf } from '../model/age.ts'
import type { IncidentId, RunId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { Ledger, RecordedRun } from './ledger.ts'

export interface Incident {
  /** The id of the run that began it. */
  readonly id: IncidentId
  /** ms since 1970. */
  readonly since: number
  /** Ids of its runs that are known. */
  readonly runs: ReadonlySet<string>
}

/** An incident that is older is over: what was found sound so long ago may be damaged by anything. In ms. */
const openMsMax = 24 * 3_600_000

/**
 * The open incident: it began within 24 hours, and no full sweep that began after it has found all tenants sound.
 * @param runs newest first
 * @param now ms since 1970. An incident that began in the future counts as over
 */
export function openIncident(runs: readonly RecordedRun[], now: number): Incident | null {
  const newest = runs.find(({ incident }) => incident !== null)
  if (!newest?.incident) return null
  const incident = incidentOf(newest.incident, runs)
  if (incident === null || (ageOf(incident.since, now) ?? Infinity) > openMsMax) return null
  return runs.some((run) => isFullAndSound(run) && run.startedAt > incident.since) ? null : incident
}

const isFullAndSound = ({ finished }: RecordedRun): boolean =>
  finished !== null &&
  finished.whole &&
  finished.exitCode === 0 &&
  finished.selected > 0 &&
  finished.notDue === 0 && // What was left out was not found sound by it.
  finished.covered === finished.selected

/** A run that was stopped because it suspected harm. `at`: when it ended, in ms since 1970. */
export interface StandingHarm {
  readonly code: string
  readonly run: string
  readonly at: number
}

/**
 * Harm that a run suspected, until a later full sweep finds all tenants sound; null for none. A later check that finds
 * the same damage without its cause clears nothing, nor does time.
 * @param runs newest first
 */
export function standingHarm(runs: readonly RecordedRun[]): StandingHarm | null {
  for (const recorded of runs) {
    const { run, finished } = recorded
    if (isFullAndSound(recorded)) return null
    if (finished?.harm !== undefined) return { code: finished.harm, run, at: finished.at }
  }
  return null
}

/** null if none of the runs belongs to it. */
function incidentOf(id: IncidentId, runs: readonly RecordedRun[]): Incident | null {
  const own = runs.filter(({ incident }) => incident === id)
  const oldest = own.at(-1)
  return oldest === undefined ? null : { id, since: oldest.startedAt, runs: new Set(own.map(({ run }) => run)) }
}

export interface IncidentTerms {
  /** The incident that the command line names; null for the open one. */
  readonly named: string | null
  /** True for a triage: without an open incident it begins one. */
  readonly begins: boolean
  readonly run: RunId
  /** ms since 1970. */
  readonly now: number
}

/**
 * The incident that a run belongs to; null for none.
 * @throws {Failure} USAGE if the ledger does not know the named one; LEDGER_UNUSABLE
 */
export async function incidentOfRun(
  ledger: Pick<Ledger, 'lastRuns'>,
  { named, begins, run, now }: IncidentTerms,
): Promise<Incident | null> {
  const runs = await recentRuns(ledger, now)
  if (named !== null) {
    const found = incidentOf(named as IncidentId, runs)
    if (found !== null) return found
    throw new Failure('USAGE', `the ledger knows no incident ${JSON.stringify(named)}`, {
      hint: '`holdfast status` names the open incident',
    })
  }
  const open = openIncident(runs, now)
  if (open !== null || !begins) return open
  return { id: run as string as IncidentId, since: now, runs: new Set() }
}

/** A few runs are enough, unless a program starts one every minute. */
const runsRead = { first: 50, most: 1_000 } as const

/** All runs of the last 24 hours, as far as an answer of the ledger goes; newest first. */
async function recentRuns(ledger: Pick<Ledger, 'lastRuns'>, now: number): Promise<readonly RecordedRun[]> {
  const runs = await ledger.lastRuns(runsRead.first)
  const oldest = runs.at(-1)
  const hasAll = runs.length < runsRead.first || (oldest !== undefined && now - oldest.startedAt > openMsMax)
  return hasAll ? runs : ledger.lastRuns(runsRead.most)
}
