/** Waiting for the run lock while another run has it. Nothing is held meanwhile, and no tenant is waited for. */

import { monotonicMs, sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'

export interface RunWait {
  /** How long, in ms. */
  readonly ms: number
  /** Ends it at once. */
  readonly signal: AbortSignal
  /** Told of the other run before each new attempt, with the time that is left. */
  readonly onWait: (other: Failure, leftMs: number) => Promise<void>
  /** Told when it is over, however it ended. */
  readonly onEnd: () => void
}

/** Two locks stand for the run lock, and no call waits for both. */
const attemptEveryMs = 1_000

/**
 * @param take takes the lock, or throws RUN_ACTIVE
 * @param waiting null: not a moment
 * @throws {Failure} RUN_ACTIVE when the time is over, INTERRUPTED, and what `take` throws else
 */
export async function waitForRun<Lock>(take: () => Promise<Lock>, waiting: RunWait | null): Promise<Lock> {
  if (waiting === null) return take()
  const endMs = monotonicMs() + waiting.ms
  try {
    for (;;) {
      const taken = await take().catch(ifActive)
      if (!(taken instanceof Failure)) return taken
      const leftMs = endMs - monotonicMs()
      if (leftMs <= 0) throw taken
      await waiting.onWait(taken, leftMs)
      await sleep(Math.min(attemptEveryMs, leftMs), waiting.signal)
    }
  } finally {
    waiting.onEnd()
  }
}

function ifActive(error: unknown): Failure {
  if (error instanceof Failure && error.code === 'RUN_ACTIVE') return error
  throw error
}
