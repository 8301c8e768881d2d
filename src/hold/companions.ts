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
  const guardian = await Guardian.start()
  const probe = Probe.start()
  return {
    probe, guardian,
    [Symbol.asyncDispose]: async () => {
      await probe[Symbol.asyncDispose]()
      await guardian[Symbol.asyncDispose]()
    },
  }
}
