/** Waits for the run lock while another run has it. Meanwhile no tenant is paused and nothing else is locked. */

import { monotonicMs, sleep } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'

export interface RunWait {
  /** How long, in ms. */
  readonly ms: number
  /** Ends the wait immediately. */
  readonly signal: AbortSignal
  /** Called before each new attempt, with the other run and the time that is left. */
  readonly onWait: (other: Failure, leftMs: number) => Promise<void>
  /** Called when the wait has ended, in any way. */
  readonly onEnd: () => void
}

/** The run lock consists of two locks, and no system call waits for both: so it is tried again and again. */
const attemptEveryMs = 1_000

/**
 * @param take takes the lock, or throws RUN_ACTIVE
 * @param waiting null: do not wait
 * @throws {Failure} RUN_ACTIVE when the time is over; INTERRUPTED; what else `take` throws
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
