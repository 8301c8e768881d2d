/**
 * Holds that a crash left open: found in the ledger, resumed, and ended only when the tenant was seen serving (I4.1,
 * I2.2).
 */
import PQueue from 'p-queue'
import { monotonicMs } from '../host/clock.ts'
import type { GuardedHold } from '../hold/guarded-hold.ts'
import { resumeUntilSeen, resumeWaitMs } from '../hold/resume.ts'
import type { HoldLocks } from '../ledger/hold-locks.ts'
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

/** What keeps two processes from resuming one tenant at a time. */
export interface ResumeCare {
  /** null where they cannot be had. */
  readonly locks: HoldLocks | null
  /** Has the tenant resumed, should we be killed in the middle of it; null where there is no guardian. */
  readonly guard: ((hold: GuardedHold) => Disposable) | null
}

const atOnce = 4

/** @param only the tenant to resume; null for all. @returns one ending for each hold that stood open */
export async function resumeOpenHolds(
  service: Service, ledger: Ledger, only: TenantId | null, care: ResumeCare,
): Promise<readonly HoldEnding[]> {
  const open = (await ledger.openHolds()).filter(({ tenant }) => only === null || tenant === only)
  const queue = new PQueue({ concurrency: atOnce })
  return queue.addAll(open.map((hold) => () => resume(hold, service, ledger, care)))
}

async function resume(hold: OpenHold, service: Service, ledger: Ledger, care: ResumeCare): Promise<HoldEnding> {
  const { locks, guard } = care
  const { tenant, holder, leaseId, fence } = hold
  const endsByMs = monotonicMs() + Math.max(0, hold.endsBy - Date.now())
  const waitMs = resumeWaitMs(endsByMs, service)
  if ((await locks?.takeWithin(holder, waitMs)) === 'refused') {
    const text = `another process of holdfast is resuming ${tenant}, and did not end within ${Math.round(waitMs)} ms`
    return { hold, failure: new Failure('RESUME_FAILED', text) }
  }
  try {
    // Whoever had the lock may have ended it.
    if (!(await ledger.openHolds()).some((one) => one.holder === holder)) return { hold, failure: null }
    using _guarded = guard?.({ tenant, holder, endsByMs })
    await service.endEarlierCommands({ holder, news: null })
    const answer = leaseId === null ? null : { leaseId, fence }
    const sight = await resumeUntilSeen({ service, tenant, holder, wasHealthy: false, answer, endsByMs, resumed: null })
    await ledger.append({ kind: 'hold-ended', tenant, holder, how: sight.how, heldMs: sight.resumed?.heldMs ?? null })
    return { hold, failure: null }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { hold, failure: error }
  } finally {
    locks?.release(holder)
  }
}

/** @throws {Failure} RESUME_FAILED naming the tenants that were not seen serving */
export function requireAllResumed(endings: readonly HoldEnding[]): void {
  const failed = endings.filter(({ failure }) => failure !== null)
  const [first] = failed
  if (!first?.failure) return
  const tenants = failed.map(({ hold }) => hold.tenant).join(', ')
  const text = `an earlier run left a hold open, and these tenants were not seen serving: ${tenants}`
  throw new Failure('RESUME_FAILED', text, { cause: first.failure, hint: first.failure.hint })
}
