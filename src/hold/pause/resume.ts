/**
 * Resuming, and seeing that it worked. An answer is never taken for the fact (I2.1): a hold has ended only when the
 * tenant was seen active, and a tenant that is active but unwell after us is said out loud.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { Quiesced, Resumed, Service } from '../../service/port.ts'
import { shellWord } from '../../text/shell-words.ts'

export interface ResumeRequest {
  readonly service: Service
  readonly tenant: TenantId
  readonly holder: string
  /** null when no answer to the quiesce was seen: the lease is then sought by its holder. */
  readonly answer: Pick<Quiesced, 'leaseId' | 'fence'> | null
  /** Monotonic time from which on the lease must have ended by itself. */
  readonly endsByMs: number
  /** A tenant that was unwell before us need not be well after us. */
  readonly wasHealthy: boolean
  /** The service's answer, where this hold was resumed before and only the look is left; else null. */
  readonly resumed: Resumed | null
}

/** What was seen at the end of a hold. */
export interface ResumeOutcome {
  readonly how: 'resumed' | 'expired' | 'service-restarted' | 'never-began'
  /** The service's answer to the resume; null when none was seen. */
  readonly resumed: Resumed | null
  /** Why the resume was not done when we asked for it; null where it was. */
  readonly refused: string | null
  /** Monotonic time of the answer that ended the pause. */
  readonly endedAtMs: number
}

const retryMs = { first: 20, most: 1_000 } as const
/**
 * How long a tenant may take from `resuming` to `active`, and the least time that a look is tried for. The look that
 * begins last still has all the time that is configured.
 */
const settleMsMax = 15_000
/** Between two looks at a tenant of which no answer to the quiesce was seen. */
const lookAgainMs = 500
/** How long an active tenant may take to become as well as it was. */
const recoverMsMax = 5_000

/** How long, from now, another process may take to resume a hold and to see the tenant serve. */
export const resumeWaitMs = (endsByMs: number, { callMsMax }: Service): number =>
  Math.max(0, endsByMs - monotonicMs()) + settleMsMax + callsOfResume * callMsMax
/** What is still running of an earlier command, the resume itself, and a look. */
const callsOfResume = 3

/**
 * Each call has the deadline that is configured for it: an outer one would kill a resume command, or drop an answer,
 * that had time left.
 */
const unhurried = new AbortController().signal

/**
 * Resumes, again and again until the lease must have ended, and looks.
 * Has its own deadline and obeys no signal: an interrupted run resumes too.
 * @throws {Failure} RESUME_FAILED (maybe-paused) when the tenant was not seen active in the end, or not well although
 *   it was before (I1.9). A resume command that had all its time is not started again.
 */
export function resumeUntilSeen(ending: ResumeRequest): Promise<ResumeOutcome> {
  return new Resuming(ending).untilSeen()
}

class Resuming {
  readonly #ending: ResumeRequest
  #lease: ResumeRequest['answer']
  /** Another lease under our name, which the service shows: it is ended too, and tells nothing of our hold. */
  #other: ResumeRequest['answer'] = null
  #resumed: Resumed | null
  /** Is the resume answered, so that only the look is left? */
  #asked: boolean
  #refused: string | null = null
  /** The service is at it: a second resume is not started beside the first. */
  #underWay = false
  #confirming = false
  #givenUp = false
  #deadlineMs: number
  #endedAtMs = monotonicMs()
  #activeSinceMs: number | null = null
  #activeLooks = 0
  #lastError = new Error('nothing was seen of it')

  constructor(ending: ResumeRequest) {
    this.#ending = ending
    this.#lease = ending.answer
    this.#resumed = ending.resumed
    this.#asked = ending.resumed !== null
    this.#deadlineMs = Math.max(ending.endsByMs, monotonicMs()) + settleMsMax
  }

  async untilSeen(): Promise<ResumeOutcome> {
    for (let waitMs: number = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.most)) {
      if (!this.#asked && !this.#underWay) await this.#ask()
      if (this.#givenUp) break
      const lookedFromMs = monotonicMs()
      const next = await this.#look()
      if (typeof next === 'object') return next
      // The last look has the time that is configured for it, however long.
      const isUnwell = this.#activeSinceMs !== null && lookedFromMs - this.#activeSinceMs > recoverMsMax
      if (isUnwell || lookedFromMs > this.#deadlineMs) break
      await sleep(next === 'again' ? waitMs : next)
    }
    throw notSeen(this.#ending, this.#lastError)
  }

  async #ask(): Promise<void> {
    const { service, tenant } = this.#ending
    try {
      this.#lease ??= await leaseOfHolder(this.#ending)
      const lease = this.#other ?? this.#lease
      if (lease) {
        const { leaseId, fence } = lease
        const resumed = await service.resume({ tenant, leaseId, fence }, unhurried)
        if (this.#resumed === null) this.#deadlineMs = Math.max(this.#deadlineMs, monotonicMs() + settleMsMax)
        if (this.#other === null) this.#resumed = resumed
      }
      if (!this.#confirming) this.#endedAtMs = monotonicMs()
      this.#asked = true
    } catch (error) {
      // Refused, or the answer was lost: only the look can tell whether the tenant stands still.
      this.#lastError = error as Error
      this.#refused = this.#lastError.message
      this.#givenUp = error instanceof Failure && error.code === 'RESUME_FAILED' && !error.retry
    }
  }

  /** @returns what was seen, or how long in ms to wait before the next round */
  async #look(): Promise<ResumeOutcome | number | 'again'> {
    const { service, tenant, holder, wasHealthy, answer } = this.#ending
    try {
      const status = await service.servingStatus(tenant, unhurried)
      this.#underWay = status.state === 'resuming' && service.via === 'admin-api'
      const ours = status.state === 'quiesced' && status.lease?.holder === holder ? status.lease : null
      this.#other = ours && this.#lease && ours.leaseId !== this.#lease.leaseId ? ours : null
      // Hooks are believed only when the resume command said yes.
      if (status.state === 'active' && (this.#asked || service.via === 'admin-api')) {
        // A quiesce of ours may still be on its way to the service: the tenant must be active a moment later too.
        if (answer === null && this.#resumed === null && ++this.#activeLooks < 2) {
          this.#asked = false
          return lookAgainMs
        }
        if (!this.#asked && !this.#confirming) this.#endedAtMs = monotonicMs()
        // Only the answer to the resume tells whether the tenant stood still until the end. It can be asked for again.
        if (!this.#asked && this.#lease !== null && !this.#confirming) {
          this.#confirming = true
          return 0
        }
        if (status.healthy || !wasHealthy) return this.#seen()
        this.#activeSinceMs ??= monotonicMs()
        const why = status.lastError === null ? '' : `: ${status.lastError}`
        this.#lastError = new Error(`it is active but not healthy${why}`)
      } else if (this.#asked) this.#lastError = new Error(`its state is ${status.state}`)
      // Resumed by its own word, and yet not serving: look again, and if our lease still stands ask again.
      if (ours) this.#asked = false
    } catch (error) {
      this.#lastError = error as Error
    }
    return 'again'
  }

  #seen(): ResumeOutcome {
    const how = howItEnded(this.#lease, this.#resumed)
    return { how, resumed: this.#resumed, refused: this.#refused, endedAtMs: this.#endedAtMs }
  }
}

function notSeen({ tenant, service }: ResumeRequest, cause: Error): Failure {
  const text = `${tenant} was not seen active and healthy after we resumed it: ${cause.message}`
  return new Failure('RESUME_FAILED', text, { cause, hint: service.via === 'hooks' ? hookedHint(tenant) : leasedHint })
}

async function leaseOfHolder({ service, holder, tenant }: ResumeRequest): Promise<ResumeRequest['answer']> {
  if (service.via === 'hooks') return { leaseId: holder, fence: null }
  // Where this list is broken, its status may still tell the lease, and the other way round.
  const status = await service.servingStatus(tenant, unhurried).catch(() => null)
  if (status?.lease?.holder === holder) return status.lease
  const leases = await service.leases(unhurried)
  return leases.find((lease) => lease.holder === holder && lease.tenant === tenant) ?? null
}

function howItEnded(lease: ResumeRequest['answer'], resumed: Resumed | null): ResumeOutcome['how'] {
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
/** There is no lease: what we paused, only a resume of ours ends. */
const hookedHint = (tenant: TenantId): string => {
  const argument = `${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`
  return (
    'NOTHING ENDS THIS BY ITSELF: a service that is reached by hooks has ' +
    `no lease. Run \`holdfast resume ${argument}\` now`
  )
}
