/** Asks the service to quiesce a tenant, and stops asking when the slot of the fleet leaves no more time. */
import { monotonicMs, startDeadline } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceAnswer } from '../../service/port.ts'

/**
 * A service that starts is asked again for some seconds, which may be longer than a slot allows. The connection of the
 * request is then closed: this tells the service that its answer is not wanted any more.
 * @param byMs on the monotonic clock: when the answer must be there
 * @throws {Failure} QUIESCE_TIMEOUT (maybe-paused) at that time; what `ask` throws
 */
export async function askInTime(
  ask: (signal: AbortSignal) => Promise<QuiesceAnswer>,
  byMs: number,
  signal: AbortSignal,
): Promise<QuiesceAnswer> {
  using deadline = startDeadline(Math.max(0, byMs - monotonicMs()))
  try {
    return await ask(AbortSignal.any([signal, deadline.signal]))
  } catch (error) {
    if (!deadline.signal.aborted || signal.aborted) throw error
    throw new Failure('QUIESCE_TIMEOUT', 'the service did not answer within the time that the fleet gives a pause', {
      cause: error,
      tenant: 'maybe-paused',
    })
  }
}
