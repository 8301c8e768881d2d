/**
 * Resumes a tenant, and sees that it serves. An answer is never taken for the fact (I2.1): a hold has ended only when
 * the tenant was seen active, or when the service does not know the tenant any more. A tenant that is active but less
 * healthy than before is a failure.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceAnswer, LeaseEnd, Service } from '../../service/port.ts'
import { tenantWord } from '../../text/shell-words.ts'

export interface ResumeRequest {
  readonly service: Service
  readonly tenant: TenantId
  readonly holder: string
  /** Null if no answer to the quiesce was seen: the lease is then found by its holder. */
  readonly answer: Pick<QuiesceAnswer, 'leaseId' | 'fence'> | null
  /** On the monotonic clock: the lease must have ended by itself by then. */
  readonly endsByMs: number
  /** A tenant that was not healthy before the hold need not be healthy after it. */
  readonly wasHealthy: boolean
  /** The service's answer, if the hold was resumed before and the tenant must only be seen serving; else null. */
  readonly resumed: LeaseEnd | null
  /** Called as soon as a resume has failed that will be tried again, unless the tenant is then seen serving. */
  readonly onRetry: (why: Error) => void
}

/** What was seen at the end of a hold. */
export interface ResumeOutcome {
  readonly how: 'resumed' | 'expired' | 'service-restarted' | 'never-began' | 'tenant-gone'
  /** The service's answer to the resume; null if none was seen. */
  readonly resumed: LeaseEnd | null
  /** Why the resume was not done when we asked for it; null if it was. */
  readonly refused: string | null
  /** When the answer came that ended the pause, on the monotonic clock. */
  readonly endedAtMs: number
}

const retryMs = { first: 20, most: 1_000 } as const
/**
 * How long a tenant may take from `resuming` to `active`, and the least time for which its state is asked. The last
 * question still has all the time that is configured.
 */
const settleMsMax = 15_000
/** Between two questions for the state of a tenant if no answer to the quiesce was seen. */
const confirmAfterMs = 500
/** How long an active tenant may take to become as healthy as it was. */
const recoverMsMax = 5_000

/** How long, from now, another process may take to resume a hold and to see the tenant serve. */
export const resumeWaitMs = (endsByMs: number, { callMsMax }: Service): number =>
  Math.max(0, endsByMs - monotonicMs()) + settleMsMax + callsOfResume * callMsMax
/** What is still running of an earlier command, the resume itself, and a question for the state. */
const callsOfResume = 3

/**
 * Never aborts. Each call has its configured deadline; an outer one would kill a resume command, or drop an answer,
 * that had time left.
 */
const noDeadline = new AbortController().signal

/**
 * Resumes, again and again until the lease must have ended, and sees the tenant serve. Has its own deadline and obeys
 * no signal: an interrupted run resumes too.
 * @throws {Failure} RESUME_FAILED (maybe-paused) if the tenant was not seen active in the end, or not healthy although
 * it was before (I1.9). A resume command that had all its time is not started again.
 */
export function resumeUntilSeen(request: ResumeRequest): Promise<ResumeOutcome> {
  return new Resume(request).untilSeen()
}

class Resume {
  readonly #request: ResumeRequest
  #lease: ResumeRequest['answer']
  /** Another lease of our holder that the service shows. It is ended too, but says nothing about our hold. */
  #other: ResumeRequest['answer'] = null
  #resumed: LeaseEnd | null
  /** Whether the resume was answered, so that only the state is left to ask for. */
  #answered: boolean
  #refused: string | null = null
  /** The service is resuming: a second resume is not started beside the first. */
  #underWay = false
  /** It was active before the resume was answered. That is sent again, to learn whether the pause had a gap. */
  #confirming = false
  /** The service refused the resume for good. */
  #givenUp = false
  #deadlineMs: number
  #endedAtMs = monotonicMs()
  #activeSinceMs: number | null = null
  #activeCount = 0
  #lastError = new Error('nothing was seen of it')

  constructor(request: ResumeRequest) {
    this.#request = request
    this.#lease = request.answer
    this.#resumed = request.resumed
    this.#answered = request.resumed !== null
    this.#deadlineMs = Math.max(request.endsByMs, monotonicMs()) + settleMsMax
  }

  async untilSeen(): Promise<ResumeOutcome> {
    for (let waitMs: number = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.most)) {
      if (!this.#answered && !this.#underWay) await this.#resume()
      if (this.#givenUp) break
      const askedAtMs = monotonicMs()
      const next = await this.#see()
      if (typeof next === 'object' && next !== null) return next
      // The last question has the time that is configured for it, however long.
      const isUnhealthy = this.#activeSinceMs !== null && askedAtMs - this.#activeSinceMs > recoverMsMax
      if (isUnhealthy || askedAtMs > this.#deadlineMs) break
      await sleep(next ?? waitMs)
    }
    throw notSeen(this.#request, this.#lastError)
  }

  async #resume(): Promise<void> {
    const { service, tenant } = this.#request
    try {
      this.#lease ??= await leaseOfHolder(this.#request)
      const lease = this.#other ?? this.#lease
      if (lease) {
        const { leaseId, fence } = lease
        const resumed = await service.resume({ tenant, leaseId, fence }, noDeadline)
        if (this.#resumed === null) this.#deadlineMs = Math.max(this.#deadlineMs, monotonicMs() + settleMsMax)
        if (this.#other === null) this.#resumed = resumed
      }
      if (!this.#confirming) this.#endedAtMs = monotonicMs()
      this.#answered = true
    } catch (error) {
      // Refused, or the answer was lost: only the tenant's state shows whether it is still paused.
      this.#lastError = error as Error
      this.#refused = this.#lastError.message
      this.#givenUp = error instanceof Failure && error.code === 'RESUME_FAILED' && !error.retry
      if (!this.#givenUp) this.#reportRetry()
    }
  }

  /** @returns what was seen; or how long in ms to wait before the next round, null: the usual time */
  async #see(): Promise<ResumeOutcome | number | null> {
    const { service, tenant, holder, wasHealthy, answer } = this.#request
    try {
      const status = await service.servingStatus(tenant, noDeadline)
      this.#underWay = status.state === 'resuming' && service.via === 'admin-api'
      const ours = status.state === 'quiesced' && status.lease?.holder === holder ? status.lease : null
      this.#other = ours && this.#lease && ours.leaseId !== this.#lease.leaseId ? ours : null
      // With hooks the state counts only after the resume command succeeded.
      if (status.state === 'active' && (this.#answered || service.via === 'admin-api')) {
        // A quiesce request of ours may still be on its way: the tenant must be active a moment later too.
        if (answer === null && this.#resumed === null && ++this.#activeCount < 2) {
          this.#answered = false
          return confirmAfterMs
        }
        if (!this.#answered && !this.#confirming) this.#endedAtMs = monotonicMs()
        // Only the answer to the resume says whether the pause had no gap. It can be asked for again.
        if (!this.#answered && this.#lease !== null && !this.#confirming) {
          this.#confirming = true
          return 0
        }
        if (status.healthy || !wasHealthy) return this.#outcome()
        this.#activeSinceMs ??= monotonicMs()
        const why = status.lastError === null ? '' : `: ${status.lastError}`
        this.#lastError = new Error(`it is active but not healthy${why}`)
      } else if (this.#answered) this.#lastError = new Error(`its state is ${status.state}`)
      // If the service said that it resumed, and our lease still stands, resume again.
      if (ours) this.#answered = false
    } catch (error) {
      this.#lastError = error as Error
      if (await this.#isGone(error)) return this.#outcome('tenant-gone')
    }
    return null
  }

  /**
   * True if the lease has ended, and the service knows neither the tenant nor a lease of ours any more: the tenant was
   * removed in the pause or right after it. False in doubt, and if the service lists no tenant at all.
   */
  async #isGone(error: unknown): Promise<boolean> {
    const { service, tenant, holder, endsByMs } = this.#request
    const hasEnded = this.#resumed !== null || (service.via === 'admin-api' && monotonicMs() > endsByMs)
    if (!hasEnded || !(error instanceof Failure) || error.code !== 'ADMIN_REFUSED') return false
    try {
      const leases = await service.leases(noDeadline)
      if (leases.some((lease) => lease.holder === holder)) return false
      const tenants = await service.tenants(noDeadline)
      return tenants.length > 0 && tenants.every(({ id }) => id !== tenant)
    } catch {
      return false
    }
  }

  #reportRetry(): void {
    try {
      this.#request.onRetry(this.#lastError)
    } catch {
      // A report that cannot be made must not keep the tenant paused.
    }
  }

  #outcome(how = howItEnded(this.#lease, this.#resumed)): ResumeOutcome {
    return { how, resumed: this.#resumed, refused: this.#refused, endedAtMs: this.#endedAtMs }
  }
}

function notSeen({ tenant, service }: ResumeRequest, cause: Error): Failure {
  const text = `${tenant} was not seen active and healthy after holdfast resumed it: ${cause.message}`
  return new Failure('RESUME_FAILED', text, { cause, hint: service.via === 'hooks' ? hookedHint(tenant) : leasedHint })
}

async function leaseOfHolder({ service, holder, tenant }: ResumeRequest): Promise<ResumeRequest['answer']> {
  if (service.via === 'hooks') return { leaseId: holder, fence: null }
  // If one of the two answers is broken, the other may still show the lease.
  const status = await service.servingStatus(tenant, noDeadline).catch(() => null)
  if (status?.lease?.holder === holder) return status.lease
  const leases = await service.leases(noDeadline)
  return leases.find((lease) => lease.holder === holder && lease.tenant === tenant) ?? null
}

function howItEnded(lease: ResumeRequest['answer'], resumed: LeaseEnd | null): ResumeOutcome['how'] {
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

const leasedHint = 'run `holdfast resume --all` now; the lease ends by itself at its deadline'
/** Without a lease only a resume of ours ends the pause. */
const hookedHint = (tenant: TenantId): string =>
  'NOTHING ENDS THIS BY ITSELF: a service that is reached by hooks has ' +
  `no lease. Run \`holdfast resume ${tenantWord(tenant)}\` now`
