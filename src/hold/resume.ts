/**
 * Resuming, and seeing that it worked. An answer is never taken for the fact (I2.1): a hold has ended only when the
 * tenant was seen active, and a tenant that is active but unwell after us is said out loud.
 */
import { monotonicMs, sleep, startDeadline } from '../host/clock.ts'
import type { TenantId } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { Quiesced, Resumed, Service } from '../service/port.ts'

export interface Ending {
  readonly service: Service
  readonly tenant: TenantId
  readonly holder: string
  /** null when no answer to the quiesce was seen: the lease is then sought by its holder. */
  readonly answer: Pick<Quiesced, 'leaseId' | 'fence'> | null
  /** Monotonic time from which on the lease must have ended by itself. */
  readonly endsByMs: number
  /** A tenant that was unwell before us need not be well after us. */
  readonly wasHealthy: boolean
}

/** What was seen at the end of a hold. */
export interface Sight {
  readonly how: 'resumed' | 'expired' | 'service-restarted' | 'never-began'
  /** The service's answer to the resume; null when none was seen. */
  readonly resumed: Resumed | null
  /** Why the resume was not done when we asked for it; null where it was. */
  readonly refused: string | null
  /** Monotonic time of the answer that ended the pause. */
  readonly endedAtMs: number
}

const retryMs = { first: 20, most: 1_000 } as const
/** How long a tenant may take from `resuming` to `active`, and the least time that a look is tried for. */
const settleMsMax = 15_000
/** Between two looks at a tenant of which no answer to the quiesce was seen. */
const lookAgainMs = 500
/** How long an active tenant may take to become as well as it was. */
const recoverMsMax = 5_000

/**
 * Resumes, again and again until the lease must have ended, and looks.
 * Has its own deadline and obeys no signal: an interrupted run resumes too.
 * @throws {Failure} RESUME_FAILED (maybe-paused) when the tenant was not seen active in the end, or not well although it was before (I1.9)
 */
export async function resumeUntilSeen(ending: Ending): Promise<Sight> {
  const { service, tenant, holder, wasHealthy } = ending
  const deadlineMs = Math.max(ending.endsByMs, monotonicMs()) + settleMsMax
  let lastError: unknown = null
  let lease = ending.answer
  let resumed: Resumed | null = null
  let refused: string | null = null
  let asked = false
  let endedAtMs = monotonicMs()
  let activeSinceMs: number | null = null
  let activeLooks = 0
  for (let waitMs: number = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.most)) {
    try {
      if (!asked) {
        lease ??= await leaseOfHolder(ending)
        if (lease) {
          const { leaseId, fence } = lease
          resumed = await withDeadline((signal) => service.resume({ tenant, leaseId, fence }, signal))
        }
        endedAtMs = monotonicMs()
        asked = true
      }
    } catch (error) {
      refused = (error as Error).message
      lastError = error // Refused, or the answer was lost: only the look can tell whether the tenant stands still.
    }
    try {
      const status = await withDeadline((signal) => service.lookAt(tenant, signal))
      const ours = status.lease?.holder === holder
      if (status.state === 'active' && (asked || service.via === 'admin-api')) { // Hooks are believed only when the resume command said yes.
        // A quiesce of ours may still be on its way to the service: being active counts when it is so a moment later too.
        if (ending.answer === null && resumed === null && ++activeLooks < 2) {
          asked = false
          await sleep(lookAgainMs)
          continue
        }
        if (!asked) endedAtMs = monotonicMs()
        if (status.healthy || !wasHealthy) return { how: howItEnded(lease, resumed), resumed, refused, endedAtMs }
        activeSinceMs ??= monotonicMs()
        lastError = new Error(`it is active but not healthy${status.lastError === null ? '' : `: ${status.lastError}`}`)
        if (monotonicMs() - activeSinceMs > recoverMsMax) break
      } else if (asked) lastError = new Error(`its state is ${status.state}`)
      // Resumed by its own word, and yet not serving: look again, and if our lease still stands ask again.
      if (status.state === 'quiesced' && ours) asked = false
    } catch (error) {
      lastError = error
    }
    if (monotonicMs() > deadlineMs) break
    await sleep(waitMs)
  }
  throw new Failure('RESUME_FAILED', `${tenant} was not seen active and healthy after we resumed it: ${(lastError as Error).message}`, { cause: lastError })
}

async function leaseOfHolder({ service, holder, tenant }: Ending): Promise<{ leaseId: string; fence: number | null } | null> {
  if (service.via === 'hooks') return { leaseId: holder, fence: null }
  const { lease } = await withDeadline((signal) => service.lookAt(tenant, signal))
  if (lease?.holder === holder) return lease
  const leases = await withDeadline((signal) => service.leases(signal))
  return leases.find((lease) => lease.holder === holder && lease.tenant === tenant) ?? null
}

function howItEnded(lease: Ending['answer'], resumed: Resumed | null): Sight['how'] {
  if (resumed === null) return lease === null ? 'never-began' : 'expired'
  switch (resumed.endedBy) {
    case 'holder':
      return 'resumed'
    case 'expiry':
      return 'expired'
    case 'restart':
      return 'service-restarted'
    case 'unknown':
      return 'expired'
  }
}

const answerMsMax = 10_000

async function withDeadline<Answer>(ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  using deadline = startDeadline(answerMsMax)
  return await ask(deadline.signal)
}
