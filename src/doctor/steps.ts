/** The outcomes of the doctor's steps. */

import { unforeseenFailure } from '../host/failures/system-failure.ts'
import { WrongRequest } from '../model/bug.ts'
import { Failure, failureKinds } from '../model/failure.ts'

export interface DoctorStep {
  readonly about: string
  readonly outcome: 'fit' | 'warning' | 'unfit' | 'skipped' | 'paused'
  readonly said: string
  /** What to do about it; null if there is nothing to do. */
  readonly next: string | null
}

export type StepOutcome = Pick<DoctorStep, 'outcome' | 'said' | 'next'>
export const fit = (said: string): StepOutcome => ({ outcome: 'fit', said, next: null })
export const warning = (said: string, next: string): StepOutcome => ({ outcome: 'warning', said, next })
export const notTried = (said: string, next: string | null = null): StepOutcome => ({ outcome: 'skipped', said, next })
export const skipped = (about: string, said: string, next: string | null = null): DoctorStep => ({
  about,
  ...notTried(said, next),
})
/** For a step that had to end before the lease did, and was too slow: it proves nothing against the service. */
export const tooSlow = (ttlMs: number): string => `the lease of ${ttlMs} ms may have ended before this was over`
export const unfit = (about: string, failure: Failure): DoctorStep => ({ about, ...unfitFor(failure) })
export const broken = (said: string): StepOutcome =>
  unfitFor(new Failure('CONTRACT_BROKEN', said, { tenant: 'active' }))

export const unfitFor = (failure: Failure): StepOutcome => ({
  outcome: failure.tenantState === 'maybe-paused' ? 'paused' : 'unfit',
  said: `${failure.code}: ${failure.message}`,
  next: adviceOf(failure),
})

/** The reader runs the doctor already: a hint to run it is replaced. */
function adviceOf({ code, hint }: Failure): string {
  if (!hint.includes('holdfast doctor')) return hint
  return failureKinds[code].otherwise ?? `holdfast explain ${code}`
}

/** A failure in a step says nothing about the tenant. The end of its hold says whether it may still be paused. */
export async function step(about: string, look: () => Promise<StepOutcome>): Promise<DoctorStep> {
  const said = await attempt(look)
  if (!(said instanceof Failure)) return { about, ...said }
  return { about, ...(said.code === 'INTERRUPTED' ? notTried('interrupted') : unfitFor(said.withTenant('active'))) }
}

/**
 * Returns a failure as a value, because the doctor reports them. A file-system error is one, and so is a request that
 * the service calls wrong, because our requests follow the contract. Any other error is a defect in holdfast.
 */
export async function attempt<Value>(work: () => Promise<Value>): Promise<Value | Failure> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof WrongRequest)
      return new Failure('CONTRACT_BROKEN', error.message, { cause: error, tenant: 'unknown' })
    const failure = unforeseenFailure(error)
    if (failure instanceof Failure) return failure
    throw error
  }
}
