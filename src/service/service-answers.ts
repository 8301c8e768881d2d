/** Whether a service answers at all: one that restarts, or that hangs, does not. */

import { startDeadline } from '../host/clock.ts'
import { Failure } from '../model/failure.ts'
import type { Service } from './port.ts'

/** This is known after so many ms. */
export const answersMsMax = 1_000

export async function serviceAnswers(service: Pick<Service, 'capabilities'>, signal: AbortSignal): Promise<boolean> {
  using deadline = startDeadline(answersMsMax)
  try {
    await service.capabilities(AbortSignal.any([signal, deadline.signal]))
    return true
  } catch (error) {
    // A refusal is an answer. Only a service that gives none is down.
    if (deadline.signal.aborted || signal.aborted) return false
    if (error instanceof Failure) return error.code !== 'ADMIN_UNREACHABLE'
    throw error
  }
}
