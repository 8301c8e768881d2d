/** Holds that a crash left open: found in the ledger, resumed, and ended only when the tenant was seen serving (I4.1, I2.2). */
import PQueue from 'p-queue'
import { monotonicMs } from '../host/clock.ts'
import { resumeUntilSeen } from '../hold/resume.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { TenantId } from '../model/brand.ts'
import type { OpenHold } from '../model/event.ts'
import { Failure } from '../model/failure.ts'
import type { Service } from '../service/port.ts'

export interface HoldEnding {
  readonly hold: OpenHold
  /** null when the tenant was seen serving. */
  readonly failure: Failure | null
}

const atOnce = 4

/** @param only the tenant to resume; null for all. @returns one ending for each hold that stood open */
export async function resumeOpenHolds(service: Service, ledger: Ledger, only: TenantId | null): Promise<readonly HoldEnding[]> {
  const open = (await ledger.openHolds()).filter(({ tenant }) => only === null || tenant === only)
  const queue = new PQueue({ concurrency: atOnce })
  return queue.addAll(open.map((hold) => () => resume(hold, service, ledger)))
}

async function resume(hold: OpenHold, service: Service, ledger: Ledger): Promise<HoldEnding> {
  const { tenant, holder, leaseId, fence } = hold
  try {
    const sight = await resumeUntilSeen({
      service, tenant, holder, wasHealthy: false,
      answer: leaseId === null ? null : { leaseId, fence },
      endsByMs: monotonicMs() + Math.max(0, hold.endsBy - Date.now()),
    })
    await ledger.append({ kind: 'hold-ended', tenant, holder, how: sight.how, heldMs: sight.resumed?.heldMs ?? null })
    return { hold, failure: null }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { hold, failure: error }
  }
}

/** @throws {Failure} RESUME_FAILED naming the tenants that were not seen serving */
export function requireAllResumed(endings: readonly HoldEnding[]): void {
  const failed = endings.filter(({ failure }) => failure !== null)
  const [first] = failed
  if (!first?.failure) return
  const tenants = failed.map(({ hold }) => hold.tenant).join(', ')
  throw new Failure('RESUME_FAILED', `an earlier run left a hold open, and these tenants were not seen serving: ${tenants}`, { cause: first.failure })
}
