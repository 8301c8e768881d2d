/**
 * The pause: the time that the service keeps a tenant still for us, from before the quiesce request until the tenant
 * was *seen* serving again (I1.1, I2.1). Whoever opens a pause disposes of it; disposing resumes, come what may.
 */
import { monotonicMs } from '../../host/clock.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { TenantId } from '../../model/brand.ts'
import { invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceEvidence, SealLevel } from '../../model/result/evidence.ts'
import type { Quiesced as QuiescedAnswer, Resumed, Service } from '../../service/port.ts'
import type { Guardian, Watch } from '../seal/guardian.ts'
import type { PauseIntent } from './intent.ts'
import { resumeUntilSeen, type ResumeOutcome } from './resume.ts'
import { requireClosed } from './verify-answer.ts'

export interface PauseLimits {
  readonly ttlMs: number
  readonly drainTimeoutMs: number
  /** No pause is longer than this: past it the copy is given up. */
  readonly maxPauseMs: number
}

declare const still: unique symbol
/** The tenant stands still: by the service's word, or because it is a bare file that nobody serves. */
export type QuiescedToken = { readonly [still]: true } & (
  | { readonly by: 'service'; readonly answer: QuiescedAnswer }
  | { readonly by: 'nobody' }
)

/** A bare file: there is no service to ask, so the seal alone decides. */
export const notServed = { by: 'nobody' } as unknown as QuiescedToken

/** We stop relying on a lease a little before it ends: its end is on another clock. */
const marginMs = 250

export interface PauseOutcome {
  readonly quiesce: QuiesceEvidence | null
  readonly pauseMs: number | null
  /** How long the tenant had stood still when `over` aborted; null where it did not. */
  readonly abandonedPauseMs: number | null
  readonly how: ResumeOutcome['how'] | null
}

export interface Pausing {
  readonly tenant: TenantId
  readonly service: Service
  readonly ledger: Ledger
  readonly guardian: Guardian
  readonly limits: PauseLimits
  readonly required: SealLevel
  readonly wasHealthy: boolean
  /** Told what is known of the pause when it is over, however it ended. */
  readonly onEnded: (pause: PauseOutcome) => void
}

export class Pause implements AsyncDisposable {
  readonly #with: Pausing
  readonly #holder: string
  readonly #watch: Watch
  /** The guardian resumes the tenant, should we be gone before this is disposed of. */
  readonly #guarded: Disposable
  readonly #over = new AbortController()
  #state: 'asked' | 'quiesced' | 'ended' = 'asked'
  #answer: QuiescedAnswer | null = null
  /**
   * On the monotonic clock: until then the service surely keeps still, and from `endsByMs` on it surely no longer does.
   */
  #safeUntilMs = 0
  #endsByMs: number
  #askedAtMs = 0
  #refusedOutright = false
  #resumed: Resumed | null = null
  #answeredAtMs = 0
  #ranOutMs: number | null = null
  #renewal: NodeJS.Timeout | null = null
  /** A renewal that is under way: another does not begin beside it, and it is not waited for when the pause ends. */
  #renewing: AbortController | null = null
  /** The ledger line about the end, until somebody takes it over to wait for it. */
  #written: Promise<void> = Promise.resolve()

  private constructor(pausing: Pausing, holder: string, watch: Watch, guarded: Disposable, endsByMs: number) {
    this.#with = pausing
    this.#holder = holder
    this.#watch = watch
    this.#guarded = guarded
    this.#endsByMs = endsByMs
  }

  /**
   * Starts the guardian's watch, and takes over what was announced; the service is asked by `quiesce`.
   * @throws {Failure} GUARDIAN_LOST, LEDGER_UNUSABLE
   */
  static async open(announced: PauseIntent, pausing: Pausing): Promise<Pause> {
    const { service, guardian, limits } = pausing
    await announced.write()
    const nowMs = monotonicMs()
    const { least, most } = firstWatchMs(service, limits)
    const endsByMs = nowMs + longestPauseMs(service, limits)
    const guarded = guardian.guard({ tenant: pausing.tenant, holder: announced.holder, endsByMs })
    try {
      const watch = await guardian.watch(nowMs + least, nowMs + most)
      announced.handOver()
      return new Pause(pausing, announced.holder, watch, guarded, endsByMs)
    } catch (error) {
      guarded[Symbol.dispose]() // Nobody was asked.
      throw error
    }
  }

  /** Aborts when the lease can no longer be relied on, or when the pause has become too long. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** False while the service surely was not paused by us: it was not asked yet, or it refused outright. */
  get mayHavePaused(): boolean {
    return this.#askedAtMs > 0 && !this.#refusedOutright
  }

  get evidence(): QuiesceEvidence | null {
    const answer = this.#answer
    if (!answer) return null
    const { via, leaseId, fence, bootId, sqliteVersion } = answer
    return {
      via,
      leaseId,
      fence,
      bootId,
      sqliteVersion,
      heldMs: this.#resumed?.heldMs ?? null,
      continuous: this.#resumed?.continuous ?? null,
    }
  }

  /**
   * Asks the service to keep the tenant still. What it says of each file is compared by who holds the file.
   * @throws {Failure} what the service answered; CONTRACT_BROKEN when it says that it keeps files open
   */
  async quiesce(signal: AbortSignal): Promise<QuiescedToken> {
    invariant(this.#state === 'asked', 'a pause is asked for once')
    const { tenant, service, limits, ledger } = this.#with
    this.#askedAtMs = monotonicMs()
    const request = {
      holder: this.#holder,
      reason: 'integrity check',
      ttlMs: limits.ttlMs,
      maxHoldMs: maxHoldMs(limits),
      drainTimeoutMs: limits.drainTimeoutMs,
    }
    const answer = await service.quiesce(tenant, request, signal).catch((error: unknown) => this.#refused(error))
    const answeredAtMs = monotonicMs()
    this.#answeredAtMs = answeredAtMs
    this.#state = 'quiesced'
    this.#answer = answer
    this.#extend(this.#askedAtMs, answeredAtMs, answer.expiresInMs)
    this.#keepRenewing(Math.min(limits.ttlMs, answer.expiresInMs))
    this.#endWhenTooLong(answeredAtMs)
    // Not waited for: the line before the deed is durable already, and by its holder the lease can be found again.
    ledger
      .appendSoon({ kind: 'hold-quiesced', tenant, holder: this.#holder, leaseId: answer.leaseId, fence: answer.fence })
      .catch(() => undefined)
    requireClosed(answer, this.#with.required)
    return { by: 'service', answer } as unknown as QuiescedToken
  }

  /** A refusal that surely paused nobody ends the hold here; after any other the tenant is sought and resumed. */
  async #refused(error: unknown): Promise<never> {
    if (error instanceof Failure && (error.tenantState === 'untouched' || error.tenantState === 'active')) {
      this.#refusedOutright = true
      await this.#neverBegan()
    }
    throw error
  }

  async #neverBegan(): Promise<void> {
    this.#state = 'ended'
    await this.#with.ledger.append({
      kind: 'hold-ended',
      tenant: this.#with.tenant,
      holder: this.#holder,
      how: 'never-began',
      heldMs: null,
    })
  }

  /** @throws the reason, once the service may no longer keep still */
  assertStanding(): void {
    this.#over.signal.throwIfAborted()
    if (monotonicMs() > this.#safeUntilMs)
      throw leaseLost(`the time that ${this.#with.tenant} was to stand still ran out before the copy was proven`)
  }

  /**
   * Ends the pause and looks whether the tenant serves again. The ledger line about it may still be on its way: the
   * caller waits for `written`, when others need not stand in line behind it any more.
   * @throws {Failure} LEASE_LOST when the quiesce was not continuous: what was copied meanwhile is worth nothing;
   *   RESUME_FAILED when the tenant was not seen serving
   */
  async resume(): Promise<{ readonly written: Promise<void> }> {
    const answer = this.#answer
    const sight = await this.#end()
    const { tenant } = this.#with
    if (sight.how === 'service-restarted') throw restarted(tenant)
    if (sight.refused !== null && sight.how !== 'resumed') throw notResumed(tenant, sight.refused)
    if (sight.resumed === null) throw leaseLost(`the service did not confirm that ${tenant} stood still until the end`)
    if ((answer?.bootId ?? null) !== sight.resumed.bootId) throw restarted(tenant)
    if (sight.how === 'expired') throw leaseLost(`the service ended the quiesce of ${tenant} before we did`)
    if (sight.resumed.continuous === false)
      throw leaseLost(`the service says that ${tenant} did not stand still all the time`)
    const written = this.#written
    this.#written = Promise.resolve()
    return { written }
  }

  async #end(): Promise<ResumeOutcome> {
    this.#stopTimers()
    // By now every lock of ours is given up: however long the service takes, there is nothing to kill us for.
    this.#watch[Symbol.dispose]()
    const { tenant, service, ledger, wasHealthy, onEnded } = this.#with
    const sight = await resumeUntilSeen({
      service,
      tenant,
      holder: this.#holder,
      answer: this.#answer,
      endsByMs: this.#endsByMs,
      wasHealthy,
      resumed: null,
    }).catch(async (error: unknown) => {
      this.#state = 'ended' // Tried until the lease must have ended; the ledger keeps the hold open for the next start.
      onEnded({ quiesce: this.evidence, pauseMs: null, abandonedPauseMs: this.#ranOutMs, how: null })
      // A ledger that fails too must not hide that the tenant may stand still: whoever writes to it next meets the
      // same.
      if (error instanceof Failure)
        await ledger
          .append({ kind: 'resume-failed', tenant, holder: this.#holder, code: error.code })
          .catch(() => undefined)
      throw error
    })
    this.#state = 'ended'
    this.#guarded[Symbol.dispose]()
    this.#resumed = sight.resumed
    const pauseMs = this.#askedAtMs === 0 ? null : Math.max(0, sight.endedAtMs - this.#askedAtMs)
    onEnded({ quiesce: this.evidence, pauseMs, abandonedPauseMs: this.#ranOutMs, how: sight.how })
    this.#written = ledger.appendSoon({
      kind: 'hold-ended',
      tenant,
      holder: this.#holder,
      how: sight.how,
      heldMs: sight.resumed?.heldMs ?? null,
      pauseMs,
    })
    this.#written.catch(() => undefined) // Whoever waits for it hears of it.
    return sight
  }

  #extend(sentAtMs: number, answeredAtMs: number, expiresInMs: number): void {
    this.#safeUntilMs = sentAtMs + expiresInMs - marginMs
    this.#endsByMs = answeredAtMs + expiresInMs
    const deadlineMs = this.#endsByMs + marginMs
    // The first deadline does for most holds: another is told when it is nearer, or when the first one comes near.
    if (deadlineMs >= this.#watch.deadlineMs && this.#watch.deadlineMs - answeredAtMs > this.#with.limits.ttlMs / 2)
      return
    this.#watch.until(deadlineMs)
  }

  #keepRenewing(ttlMs: number): void {
    this.#renewal = setInterval(() => void this.#renew(), ttlMs / 3)
  }

  /** A renewal that fails is tried again at the next tick; the deadline decides. */
  async #renew(): Promise<void> {
    const answer = this.#answer
    if (!answer || this.#state !== 'quiesced' || this.#renewing) return
    const sentAtMs = monotonicMs()
    this.#renewing = new AbortController()
    try {
      const { expiresInMs } = await this.#with.service.renew(answer, this.#renewing.signal)
      if (this.#state === 'quiesced') this.#extend(sentAtMs, monotonicMs(), expiresInMs)
    } catch (error) {
      if (error instanceof Failure && error.code === 'LEASE_LOST') this.#giveUp(error)
    } finally {
      this.#renewing = null
    }
  }

  #giveUp(why: Failure): void {
    this.#ranOutMs ??= monotonicMs() - this.#answeredAtMs
    this.#over.abort(why)
  }

  #tooLong: NodeJS.Timeout | null = null

  #endWhenTooLong(answeredAtMs: number): void {
    const check = (): void => {
      const { limits, tenant } = this.#with
      const heldMs = monotonicMs() - answeredAtMs
      if (monotonicMs() > this.#safeUntilMs)
        this.#giveUp(leaseLost(`the time that ${tenant} was to stand still ran out while the copy was made`))
      else if (heldMs > limits.maxPauseMs) {
        this.#giveUp(
          new Failure(
            'TOO_LARGE_FOR_PAUSE',
            `${tenant} stood still for ${Math.round(heldMs)} ms, longer than ` +
              'hold.maxPause allows; the copy was given up',
          ),
        )
      } else
        this.#tooLong = setTimeout(
          check,
          Math.max(1, Math.min(this.#safeUntilMs - monotonicMs(), limits.maxPauseMs - heldMs) + 1),
        )
    }
    check()
  }

  #stopTimers(): void {
    if (this.#renewal) clearInterval(this.#renewal)
    this.#renewing?.abort()
    if (this.#tooLong) clearTimeout(this.#tooLong)
  }

  /**
   * Resumes what is not resumed yet. @throws {Failure} RESUME_FAILED when the tenant was not seen serving
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#askedAtMs === 0) await this.#neverBegan()
      else if (this.#state !== 'ended') await this.#end()
    } finally {
      this.#stopTimers()
      this.#watch[Symbol.dispose]()
      this.#guarded[Symbol.dispose]()
    }
    await this.#written
  }
}

const maxHoldMs = (limits: PauseLimits): number => Math.max(limits.ttlMs, limits.maxPauseMs + 2_000)

/** From our request on: the wait for its answer, and the hold. After that no lease of ours can stand. */
export const longestPauseMs = (service: Service, limits: PauseLimits): number =>
  service.quiesceMsMax(limits.drainTimeoutMs) + maxHoldMs(limits)

/**
 * A lease of this length cannot end before `most`, for it has yet to be asked for; nor may anything be ended while we
 * wait for the answer: no lock is held then. Where the answer may take as long as the lease, only the longest pause
 * will do.
 */
function firstWatchMs(service: Service, limits: PauseLimits): { readonly least: number; readonly most: number } {
  const longestMs = longestPauseMs(service, limits)
  const waitMsMax = service.quiesceMsMax(limits.drainTimeoutMs)
  return limits.ttlMs > waitMsMax
    ? { least: waitMsMax, most: limits.ttlMs + marginMs }
    : { least: longestMs, most: longestMs }
}

/** A longer lease would only have been a longer pause. */
const notResumed = (tenant: TenantId, why: string): Failure =>
  new Failure(
    'LEASE_LOST',
    `${tenant} was not resumed when we asked for it (${why}); it was seen serving again later`,
    {
      hint: 'the service refused the resume or lost it: look at its log; `holdfast doctor --tenant ID` tries each call',
    },
  )

const restarted = (tenant: TenantId): Failure => leaseLost(`the service was restarted while ${tenant} stood still`)

const leaseLost = (message: string): Failure => new Failure('LEASE_LOST', message)
