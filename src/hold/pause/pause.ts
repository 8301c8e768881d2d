/**
 * The pause: from before the quiesce request until the tenant was *seen* serving again (I1.1, I2.1). The caller
 * disposes of a pause that it opened; disposing resumes the tenant, whatever happened.
 */
import { monotonicMs } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceEvidence, SealLevel } from '../../model/result/evidence.ts'
import type { QuiesceAnswer, LeaseEnd, Service } from '../../service/port.ts'
import type { Guardian, Watch } from '../seal/guardian.ts'
import { askInTime } from './ask-in-time.ts'
import { requireConfirmed } from './confirm-pause.ts'
import type { PauseIntent } from './intent.ts'
import { LeaseTerm } from './lease-term.ts'
import { firstWatchMs, longestPauseMs, maxHoldMs, slotPauseMs, type PauseLimits } from './pause-limits.ts'
import { requireInTime, type PermitSlot } from './pause-permit.ts'
import { resumeUntilSeen, type ResumeOutcome } from './resume.ts'
import { requireClosed } from './verify-answer.ts'

declare const quiesced: unique symbol
/** The tenant stands still: the service says so (`answer`), or it is a bare file without a service (null). */
export interface Quiesced {
  readonly [quiesced]: true
  readonly answer: QuiesceAnswer | null
}

/** A bare file: there is no service to ask, so the seal alone decides. */
export const notServed = { answer: null } as unknown as Quiesced

/** What is known of a pause when it is over. */
interface PauseOutcome {
  readonly quiesce: QuiesceEvidence | null
  readonly pauseMs: number | null
  /** How long the tenant had been paused when the copy was abandoned; null if it was not. */
  readonly abandonedPauseMs: number | null
  /** Null if the tenant was not seen serving. */
  readonly how: ResumeOutcome['how'] | null
}

export interface PauseRequest {
  readonly tenant: TenantId
  readonly service: Service
  readonly ledger: Ledger
  readonly guardian: Guardian
  readonly limits: PauseLimits
  /** The weakest seal that is accepted. */
  readonly required: SealLevel
  readonly wasHealthy: boolean
  /** Leave to pause the tenant; null if none is needed. */
  readonly slot: PermitSlot | null
  /** See `ResumeRequest`. */
  readonly onRetry: (why: Error) => void
  /** Called once when the service was asked and the pause is over, however it ended. */
  readonly onEnded: (pause: PauseOutcome) => void
}

export class Pause implements AsyncDisposable {
  readonly #with: PauseRequest
  readonly #holder: string
  readonly #watch: Watch
  /** Until it is disposed of, the guardian resumes the tenant if this process is gone. */
  readonly #guarded: Disposable
  /** On the monotonic clock: no lease of ours can stand from then on. */
  readonly #longestEndsByMs: number
  #state: 'opened' | 'asked' | 'refused' | 'quiesced' | 'ended' = 'opened'
  #askedAtMs = 0
  #answer: QuiesceAnswer | null = null
  #term: LeaseTerm | null = null
  #resumed: LeaseEnd | null = null
  /** The ledger line about the end. Disposing awaits it, unless `resume` has handed it to its caller. */
  #written: Promise<void> = Promise.resolve()

  private constructor(request: PauseRequest, holder: string, watch: Watch, guarded: Disposable, endsByMs: number) {
    this.#with = request
    this.#holder = holder
    this.#watch = watch
    this.#guarded = guarded
    this.#longestEndsByMs = endsByMs
  }

  /**
   * Tells the guardian of the hold, starts its watch, and takes over the intent. `quiesce` asks the service.
   * @throws {Failure} GUARDIAN_LOST, LEDGER_UNUSABLE, PAUSE_TOO_LATE
   */
  static async open(intent: PauseIntent, request: PauseRequest): Promise<Pause> {
    const { tenant, service, guardian, limits, slot } = request
    const { holder } = intent
    await intent.write()
    const nowMs = monotonicMs()
    if (slot) requireInTime(slot, nowMs)
    const { least, most } = firstWatchMs(service, limits)
    const endsByMs = slot ? slot.beginsByMs + slotPauseMs(service, limits) : nowMs + longestPauseMs(service, limits)
    const guarded = guardian.guard({ tenant, holder, endsByMs })
    try {
      const watch = await guardian.watch(Math.min(nowMs + least, endsByMs), Math.min(nowMs + most, endsByMs))
      intent.handOver()
      return new Pause(request, holder, watch, guarded, endsByMs)
    } catch (error) {
      guarded[Symbol.dispose]() // The service was not asked.
      throw error
    }
  }

  /** Aborts when the lease can no longer be relied on, or when the pause has become too long. */
  get over(): AbortSignal {
    return this.#givenTerm.over
  }

  /** @throws the reason, once the service may no longer be quiesced */
  assertStanding(): void {
    this.#givenTerm.assertStanding()
  }

  /** Has the service confirm that the tenant is still quiesced for us. @throws {Failure} LEASE_LOST */
  confirm(): Promise<void> {
    return this.#givenTerm.confirm(this.over)
  }

  get #givenTerm(): LeaseTerm {
    invariant(this.#term, 'only a service that has quiesced a tenant has given a lease')
    return this.#term
  }

  /** False as long as the service surely did not pause the tenant: it was not asked, or it refused outright. */
  get mayHavePaused(): boolean {
    return this.#askedAtMs > 0 && this.#state !== 'refused'
  }

  get evidence(): QuiesceEvidence | null {
    const answer = this.#answer
    if (!answer) return null
    const { via, leaseId, fence, bootId, sqliteVersion } = answer
    const heldMs = this.#resumed?.heldMs ?? null
    const continuous = this.#resumed?.continuous ?? null
    return { via, leaseId, fence, bootId, sqliteVersion, heldMs, continuous }
  }

  /**
   * Asks the service to quiesce the tenant. `requireNamedByService` compares its answer with each file.
   * @throws {Failure} what the service answered; PAUSE_TOO_LATE, and then it was not asked; CONTRACT_BROKEN if it says
   * that it keeps files open
   */
  async quiesce(signal: AbortSignal): Promise<Quiesced> {
    invariant(this.#state === 'opened', 'the service is asked once')
    const { tenant, service, limits, ledger, required, slot } = this.#with
    const request = {
      holder: this.#holder,
      reason: 'integrity check',
      ttlMs: limits.ttlMs,
      maxHoldMs: maxHoldMs(limits),
      drainTimeoutMs: limits.drainTimeoutMs,
    }
    const askedAtMs = monotonicMs()
    // The guardian's watch stands. If this process froze until now and is too late, the service was not asked.
    if (slot) requireInTime(slot, askedAtMs)
    slot?.markAsked()
    this.#state = 'asked'
    this.#askedAtMs = askedAtMs
    const ask = (asking: AbortSignal): Promise<QuiesceAnswer> => service.quiesce(tenant, request, asking)
    const answerByMs = this.#longestEndsByMs - request.maxHoldMs
    const asked = slot ? askInTime(ask, answerByMs, signal) : ask(signal)
    const answer = await asked.catch((error: unknown) => this.#endRefused(error))
    const answeredAtMs = monotonicMs()
    this.#state = 'quiesced'
    this.#answer = answer
    this.#term = new LeaseTerm({
      tenant,
      service,
      limits,
      watch: this.#watch,
      latestMs: this.#longestEndsByMs,
      answer,
      askedAtMs,
      answeredAtMs,
    })
    const { leaseId, fence } = answer
    // Not awaited: the intent is on the disk already, and by its holder the lease can be found again.
    ledger.appendSoon({ kind: 'hold-quiesced', tenant, holder: this.#holder, leaseId, fence }).catch(() => undefined)
    requireClosed(answer, required)
    return { answer } as unknown as Quiesced
  }

  /**
   * A refusal that surely paused nothing ends the hold here. After any other, disposing seeks the lease and resumes.
   */
  async #endRefused(error: unknown): Promise<never> {
    if (error instanceof Failure && (error.tenantState === 'untouched' || error.tenantState === 'active')) {
      this.#state = 'refused'
      this.#with.slot?.markAnswered()
      await this.#neverBegan()
    }
    throw error
  }

  async #neverBegan(): Promise<void> {
    const { ledger, tenant } = this.#with
    await ledger.append({ kind: 'hold-ended', tenant, holder: this.#holder, how: 'never-began', heldMs: null })
  }

  /**
   * Ends the pause, and returns when the tenant was seen serving and the service confirmed the pause.
   * @returns a promise that resolves when the end of the hold is in the ledger. The caller may await it when no other
   * tenant has to wait behind it.
   * @throws {Failure} LEASE_LOST, TENANT_GONE as `requireConfirmed`; RESUME_FAILED if the tenant was not seen serving
   */
  async resume(): Promise<{ readonly written: Promise<void> }> {
    const outcome = await this.#end()
    requireConfirmed(this.#with.tenant, this.#answer, outcome)
    const written = this.#written
    this.#written = Promise.resolve()
    return { written }
  }

  async #end(): Promise<ResumeOutcome> {
    const { tenant, service, guardian, wasHealthy, onRetry, onEnded, slot } = this.#with
    const endsByMs = this.#term?.endsByMs ?? this.#longestEndsByMs
    this.#term?.[Symbol.dispose]()
    // Every lock of ours is released by now: however long the service takes, there is no reason to kill this process.
    // With hooks and a slot there is one: no lease ends the pause of a process that freezes here.
    if (slot && service.via === 'hooks') this.#watch.until(this.#longestEndsByMs)
    else this.#watch[Symbol.dispose]()
    if (this.#term?.over.aborted) guardian.tellEnded() // Its deadline is near.
    const hold = { service, tenant, holder: this.#holder, answer: this.#answer, resumed: null }
    const outcome = await resumeUntilSeen({ ...hold, endsByMs, wasHealthy, onRetry }).catch((error: unknown) =>
      this.#leaveOpen(error),
    )
    this.#state = 'ended'
    this.#watch[Symbol.dispose]()
    this.#guarded[Symbol.dispose]()
    this.#resumed = outcome.resumed
    // If neither was answered, a request of ours may still be on its way to a service that hangs.
    if (this.#answer !== null || outcome.resumed !== null) slot?.markAnswered()
    const pauseMs = this.#askedAtMs === 0 ? null : Math.max(0, outcome.endedAtMs - this.#askedAtMs)
    onEnded({ quiesce: this.evidence, pauseMs, abandonedPauseMs: this.#abandonedPauseMs, how: outcome.how })
    this.#written = this.#writeEnd(outcome, pauseMs)
    this.#written.catch(() => undefined) // Its caller learns of the failure by awaiting it.
    return outcome
  }

  get #abandonedPauseMs(): number | null {
    return this.#term?.abandonedPauseMs ?? null
  }

  /**
   * After the resume was tried until the lease must have ended. The hold stays open in the ledger, for the next run.
   */
  async #leaveOpen(error: unknown): Promise<never> {
    const { tenant, ledger, onEnded } = this.#with
    this.#state = 'ended'
    onEnded({ quiesce: this.evidence, pauseMs: null, abandonedPauseMs: this.#abandonedPauseMs, how: null })
    // A ledger that fails too must not hide that the tenant may be paused: the next line written meets the same
    // failure.
    if (error instanceof Failure)
      await ledger
        .append({ kind: 'resume-failed', tenant, holder: this.#holder, code: error.code })
        .catch(() => undefined)
    throw error
  }

  #writeEnd({ how, resumed }: ResumeOutcome, pauseMs: number | null): Promise<void> {
    const { ledger, tenant } = this.#with
    const heldMs = resumed?.heldMs ?? null
    return ledger.appendSoon({ kind: 'hold-ended', tenant, holder: this.#holder, how, heldMs, pauseMs })
  }

  /** Resumes the tenant unless that was done. @throws {Failure} RESUME_FAILED if the tenant was not seen serving */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#state === 'opened') await this.#neverBegan()
      else if (this.#state === 'asked' || this.#state === 'quiesced') await this.#end()
    } finally {
      this.#term?.[Symbol.dispose]()
      this.#watch[Symbol.dispose]()
      this.#guarded[Symbol.dispose]()
    }
    await this.#written
  }
}
