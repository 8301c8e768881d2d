/** The processes that stand by during a run: the probe that tries our locks, and the guardian that ends us when we are stuck. */
import { requireLinux } from '../host/platform.ts'
import { Guardian } from './guardian.ts'
import { Probe } from './probe.ts'

export interface Companions extends AsyncDisposable {
  readonly probe: Probe
  readonly guardian: Guardian
}

/** @throws {Failure} PLATFORM_UNSUPPORTED, GUARDIAN_LOST */
export async function startCompanions(): Promise<Companions> {
  requireLinux()
  const probe = Probe.start() // Starts while the guardian does.
  try {
    const guardian = await Guardian.start()
    return { probe, guardian, [Symbol.asyncDispose]: async () => void (await Promise.all([probe[Symbol.asyncDispose](), guardian[Symbol.asyncDispose]()])) }
  } catch (error) {
    await probe[Symbol.asyncDispose]()
    throw error
  }
}
