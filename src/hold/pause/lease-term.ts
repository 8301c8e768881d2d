/**
 * How long the service stays quiesced for us: renews its lease, moves the guardian's deadline with it, and ends the
 * pause before the lease does.
 */
import { monotonicMs } from '../../host/clock.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { QuiesceAnswer, Service } from '../../service/port.ts'
import type { Watch } from '../seal/guardian.ts'
import { marginMs, type PauseLimits } from './pause-limits.ts'

export interface LeaseTermOptions {
  readonly tenant: TenantId
  readonly service: Service
  readonly limits: PauseLimits
  readonly watch: Watch
  /** No lease of ours can stand from then on, whatever a service says that renews it. */
  readonly latestMs: number
  readonly answer: QuiesceAnswer
  /** On the monotonic clock, as all times here. The lease is counted from the request, never from its answer. */
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

/** The pause was predicted to be short enough, so something was slower than usual. */
const shorter =
  'try again when the machine is less busy and the tenant writes less; or raise hold.maxPause, or use WAL mode or a ' +
  'file system with reflinks (xfs, btrfs)'

export class LeaseTerm implements Disposable {
  readonly #with: LeaseTermOptions
  readonly #over = new AbortController()
  /** Until then the service surely stays quiesced. */
  #safeUntilMs = 0
  /** From then on it surely does not. */
  #endsByMs = 0
  #abandonedPauseMs: number | null = null
  readonly #renewal: NodeJS.Timeout
  /** A renewal that is under way. No other starts beside it, and the end of the pause does not wait for it. */
  #renewing: AbortController | null = null
  #nextCheck: NodeJS.Timeout | null = null
  #disposed = false

  constructor(options: LeaseTermOptions) {
    this.#with = options
    const { answer, askedAtMs, answeredAtMs, limits } = options
    this.#extend(askedAtMs, answeredAtMs, answer.expiresInMs)
    this.#renewal = setInterval(() => void this.#renew(), Math.min(limits.ttlMs, answer.expiresInMs) / 3)
    this.#endInTime()
  }

  /** Aborts when the lease can no longer be relied on, or when the pause has become too long. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** The lease must have ended by itself from then on. */
  get endsByMs(): number {
    return this.#endsByMs
  }

  /** How long the tenant had been paused when `over` aborted; null if it did not. */
  get abandonedPauseMs(): number | null {
    return this.#abandonedPauseMs
  }

  /** @throws the reason, once the service may no longer be quiesced */
  assertStanding(): void {
    this.#over.signal.throwIfAborted()
    if (monotonicMs() > this.#safeUntilMs) throw this.#ranOut('before the copy was proven')
  }

  /**
   * Renews the lease now, by which the service shows that it still stands.
   * @throws {Failure} LEASE_LOST, or what the service answered
   */
  async confirm(signal: AbortSignal): Promise<void> {
    const sentAtMs = monotonicMs()
    const { expiresInMs } = await this.#with.service.renew(this.#with.answer, signal)
    if (!this.#disposed) this.#extend(sentAtMs, monotonicMs(), expiresInMs)
    this.assertStanding()
  }

  #extend(sentAtMs: number, answeredAtMs: number, expiresInMs: number): void {
    const { watch, limits, latestMs } = this.#with
    this.#safeUntilMs = sentAtMs + expiresInMs - marginMs
    this.#endsByMs = answeredAtMs + expiresInMs
    const deadlineMs = Math.min(this.#endsByMs + marginMs, latestMs)
    // The first deadline suits most holds. A message sets another if it is earlier, or if the first one comes near.
    if (deadlineMs >= watch.deadlineMs && watch.deadlineMs - answeredAtMs > limits.ttlMs / 2) return
    watch.until(deadlineMs)
  }

  /** If a renewal fails, the next tick tries again; the deadline decides. */
  async #renew(): Promise<void> {
    if (this.#disposed || this.#renewing) return
    const sentAtMs = monotonicMs()
    this.#renewing = new AbortController()
    try {
      const { expiresInMs } = await this.#with.service.renew(this.#with.answer, this.#renewing.signal)
      if (!this.#disposed) this.#extend(sentAtMs, monotonicMs(), expiresInMs)
    } catch (error) {
      if (error instanceof Failure && error.code === 'LEASE_LOST') this.#abandon(error)
    } finally {
      this.#renewing = null
    }
  }

  #endInTime(): void {
    const { limits, tenant, answeredAtMs } = this.#with
    const nowMs = monotonicMs()
    const pausedMs = nowMs - answeredAtMs
    if (nowMs > this.#safeUntilMs) this.#abandon(this.#ranOut('while the copy was made'))
    else if (pausedMs > limits.maxPauseMs) {
      const how = `was paused for ${Math.round(pausedMs)} ms, longer than hold.maxPause allows`
      this.#abandon(new Failure('TOO_LARGE_FOR_PAUSE', `${tenant} ${how}; holdfast ended the pause`, { hint: shorter }))
    } else {
      const leftMs = Math.min(this.#safeUntilMs - nowMs, limits.maxPauseMs - pausedMs)
      this.#nextCheck = setTimeout(() => this.#endInTime(), Math.max(1, leftMs + 1))
    }
  }

  #abandon(why: Failure): void {
    this.#abandonedPauseMs ??= monotonicMs() - this.#with.answeredAtMs
    this.#over.abort(why)
  }

  #ranOut(when: string): Failure {
    return new Failure('LEASE_LOST', `the lease of ${this.#with.tenant} ended ${when}`)
  }

  /** Stops the renewals and the deadline. Repeatable. */
  [Symbol.dispose](): void {
    this.#disposed = true
    clearInterval(this.#renewal)
    this.#renewing?.abort()
    if (this.#nextCheck) clearTimeout(this.#nextCheck)
  }
}
