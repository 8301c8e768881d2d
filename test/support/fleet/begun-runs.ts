/** Runs of a fleet as a person begins them, and what becomes of them. */
import { beginRun, type FleetRunRequest } from '../../../src/fleet/coordinator/runs/begin-run.ts'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import type { RunId } from '../../../src/model/brand.ts'

/** A full sweep of all hosts, unless `more` says otherwise. @throws if another run of its kind is unfinished */
export async function beginSweep(database: FleetDatabase, more: Partial<FleetRunRequest> = {}): Promise<RunId> {
  const run = newRunId()
  const begun = await beginRun(database, run, { ...wholeSweep, ...more })
  if ('unfinished' in begun) throw new Error(`the run ${begun.unfinished} is unfinished`)
  return run
}

export const wholeSweep = { kind: 'sweep', depth: 'full', hosts: null, service: null, by: 'test' } as const

export interface RunState {
  readonly state: 'feeding' | 'fed' | 'done' | 'stopped'
  readonly total: number
  /** Why it was stopped. */
  readonly said: string | null
}

/** @throws if there is no such run */
export async function runState(database: FleetDatabase, run: RunId): Promise<RunState> {
  const { rows } = await database.query<RunState>('select state, total, said from holdfast.run where id = $1', [run])
  if (rows[0] === undefined) throw new Error(`there is no run ${run}`)
  return rows[0]
}
