/**
 * The two processes beside a run. The probe tries to get our locks. The guardian kills this process if it is stuck, and
 * resumes its tenants if it is gone.
 */
import { requireLinux } from '../host/platform.ts'
import type { ResumeTerms } from './pause/guarded-hold.ts'
import { Guardian } from './seal/guardian.ts'
import { Probe } from './seal/probe.ts'

export interface HoldProcesses extends AsyncDisposable {
  readonly probe: Probe
  readonly guardian: Guardian
}

/**
 * Starts both processes without awaiting their first answer; `ready` awaits it.
 * @param terms see `Guardian.begin`
 * @throws {Failure} PLATFORM_UNSUPPORTED, GUARDIAN_LOST
 */
export async function beginHoldProcesses(
  terms: ResumeTerms | null,
): Promise<HoldProcesses & { readonly ready: () => Promise<void> }> {
  requireLinux()
  const probe = Probe.start()
  const guardian = await Guardian.begin(terms).catch(async (error: unknown) => {
    await probe[Symbol.asyncDispose]()
    throw error
  })
  return {
    probe,
    guardian,
    ready: () => guardian.ready(),
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all([probe[Symbol.asyncDispose](), guardian[Symbol.asyncDispose]()])),
  }
}

/** @throws {Failure} PLATFORM_UNSUPPORTED, GUARDIAN_LOST */
export async function startHoldProcesses(terms: ResumeTerms | null = null): Promise<HoldProcesses> {
  const processes = await beginHoldProcesses(terms)
  try {
    await processes.ready()
    return processes
  } catch (error) {
    await processes[Symbol.asyncDispose]()
    throw error
  }
}
