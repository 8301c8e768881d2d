/** The first line of a run in the ledger: what it is, who asked for it, and the incident that it belongs to. */

import { incidentOfRun, type Incident } from '../../ledger/incident.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { RunId } from '../../model/brand.ts'
import type { FleetPart, TriageRequest } from '../../model/event.ts'

export interface BeginningOfRun {
  readonly run: RunId
  readonly mode: 'check' | 'sweep' | 'triage' | 'pull' | 'compare' | 'repair' | 'restore'
  readonly version: string
  /** Arguments of the command line. */
  readonly argv: readonly string[]
  /** The incident that the command line names; null for the open one. */
  readonly incident: string | null
  /** Who asked for this run, if it works in the background; else null. */
  readonly request: TriageRequest | null
  /** Left out for a run that a person or a timer of this machine begins. */
  readonly fleet?: FleetPart
  /** Called with the incident that the run belongs to, before any tenant is paused. */
  readonly onIncident: (incident: Incident) => void
}

/** @returns the incident; null without one @throws {Failure} USAGE for an unknown incident; LEDGER_UNUSABLE */
export async function recordBeginning(ledger: Ledger, beginning: BeginningOfRun): Promise<Incident | null> {
  const { mode, version, argv, run, request, fleet } = beginning
  const terms = { named: beginning.incident, begins: mode === 'triage', run, now: Date.now() }
  const incident = await incidentOfRun(ledger, terms)
  await ledger.append({
    kind: 'run-started',
    mode,
    version,
    argv,
    ...(incident === null ? {} : { incident: incident.id }),
    ...(request === null ? {} : { request }),
    ...(fleet === undefined ? {} : { fleet }),
  })
  if (incident !== null) beginning.onIncident(incident)
  return incident
}
