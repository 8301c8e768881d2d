/**
 * The processes that stand by during a run: the probe that tries our locks, and the guardian that ends us when we are
 * stuck.
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
 * Starts them, and does not wait until they answer: `ready` does. @param terms see `Guardian.begin`
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
  const companions = await beginHoldProcesses(terms)
  try {
    await companions.ready()
    return companions
  } catch (error) {
    await companions[Symbol.asyncDispose]()
    throw error
  }
}
