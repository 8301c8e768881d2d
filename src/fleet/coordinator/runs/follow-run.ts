/** Waits until a run of the fleet has ended. The run does not need the command that waits for it. */
import { monotonicMs, sleep } from '../../../host/clock.ts'
import type { RunId } from '../../../model/brand.ts'
import { Bug } from '../../../model/bug.ts'
import { Failure } from '../../../model/failure.ts'
import type { FleetDatabase } from '../../database/database.ts'
import { readRun, type FleetRunFacts } from './read-run.ts'

/** How often a person sees something new. */
const lookEveryMs = 1_000
/** A program that waits must hear in the end that nobody answers. */
const awayMsMax = 30 * 60_000

/**
 * @param onProgress called after each look; with the failure while the database cannot be reached
 * @throws the reason of the signal; {Failure} FLEET_* for what waiting does not mend, or after half an hour without an
 * answer
 */
export async function followRun(
  database: FleetDatabase,
  run: RunId,
  onProgress: (seen: FleetRunFacts | Failure) => void,
  signal: AbortSignal,
): Promise<FleetRunFacts> {
  for (let answeredAtMs = monotonicMs(); ;) {
    signal.throwIfAborted()
    const seen = await look(database, run)
    onProgress(seen)
    if (!(seen instanceof Failure)) {
      answeredAtMs = monotonicMs()
      if (seen.state === 'done' || seen.state === 'stopped') return seen
    } else if (monotonicMs() - answeredAtMs > awayMsMax) throw seen
    await sleep(lookEveryMs, signal)
  }
}

async function look(database: FleetDatabase, run: RunId): Promise<FleetRunFacts | Failure> {
  try {
    const seen = await readRun(database, run)
    if (seen === null) throw new Bug(`the run ${run} was begun, and is not in the database`)
    return seen
  } catch (error) {
    if (error instanceof Failure && error.retry) return error
    throw error
  }
}
