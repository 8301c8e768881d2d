/** Why a chunk ended early, as its process tells the agent, and what the agent makes of it. */

import { unforeseenFailure } from '../../host/failures/system-failure.ts'
import { Bug } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { ChunkFailure } from './chunk-messages.ts'
import type { ChunkStop } from './chunk-stop.ts'

/**
 * An interruption by the stop itself is no failure. Any other failure is one, also if the stop had begun before it: a
 * service that does not honour a lock must not be asked for more tenants.
 * @param thrown what stopped the chunk; null if nothing did
 */
export function failureOf(thrown: unknown, { hasBegun }: Pick<ChunkStop, 'hasBegun'>): ChunkFailure | null {
  if (thrown === null) return null
  const error = unforeseenFailure(thrown)
  if (error instanceof Failure) {
    const { code, message, hint } = error
    return hasBegun && code === 'INTERRUPTED' ? null : { code, message, hint }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'BUG', message, hint: 'this is a defect in holdfast' }
}

/**
 * Why the rest of a chunk waits for its service; null if it does not.
 * @param failure of the chunk. One that says more than that the service is silent comes first.
 * @param unanswered of a tenant about which the service gave no answer
 */
export function silenceOf(failure: ChunkFailure | null, unanswered: ChunkFailure | null): ChunkFailure | null {
  if (failure === null) return unanswered
  return failure.code === 'ADMIN_UNREACHABLE' ? failure : null
}

export const asError = ({ code, message, hint }: ChunkFailure): Error =>
  code === 'BUG' ? new Bug(message) : new Failure(code, message, { hint })
