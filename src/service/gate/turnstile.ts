/**
 * The entrance to one tenant for requests and background jobs. While it is closed they wait, and it reports when all
 * have left.
 */
import { TenantPaused } from './paused-answer.ts'

/**
 * One request or job inside a tenant. Call it, or let `using` call it, when the work ends. More than one call does no
 * harm.
 */
export interface Passage extends Disposable, AsyncDisposable {
  (): void
  /** False once it has left. */
  readonly inside: boolean
}

/** The parts of a passage, before it is given out read-only. */
type Leave = (() => void) & {
  inside: boolean
  [Symbol.dispose]: () => void
  [Symbol.asyncDispose]: () => Promise<void>
}

interface Waiter {
  readonly admit: () => void
}

export class Turnstile {
  readonly #tenantId: string
  readonly #onIdle: () => void
  readonly #waiting = new Set<Waiter>()
  #closed = false
  #inFlight = 0
  #emptied: (() => void) | null = null

  /** `onIdle` is called each time when the last one has left and none waits. */
  constructor(tenantId: string, onIdle: () => void) {
    this.#tenantId = tenantId
    this.#onIdle = onIdle
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** True if nothing is inside, nothing waits, and it is open: the record may be removed. */
  get idle(): boolean {
    return !this.#closed && this.#inFlight === 0 && this.#waiting.size === 0
  }

  /** Enters although the gate is closed: for work inside a passage, for which the drain waits anyway. */
  pass(): Passage {
    this.#inFlight++
    const leave = ((): void => {
      if (!leave.inside) return
      leave.inside = false
      this.#inFlight--
      if (this.#inFlight === 0) this.#emptied?.()
      if (this.idle) this.#onIdle()
    }) as Leave
    // Set one by one, because every request of the service comes through here.
    leave.inside = true
    leave[Symbol.dispose] = leave
    leave[Symbol.asyncDispose] = async () => leave()
    return leave
  }

  /**
   * Enters, or waits until the tenant is open again.
   * @throws {TenantPaused} after `waitMs`, or immediately if `waitingMax` wait already. Rejects with the signal's
   * reason.
   */
  async enter(
    limits: { readonly waitMs: number; readonly waitingMax: number },
    retryAfterSeconds: () => number,
    signal: AbortSignal | undefined,
  ): Promise<Passage> {
    signal?.throwIfAborted()
    if (!this.#closed) return this.pass()
    if (this.#waiting.size >= limits.waitingMax) throw new TenantPaused(this.#tenantId, retryAfterSeconds())
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiting.delete(waiting)
      }
      // Counted as inside when it is admitted, so that the next drain sees it.
      const waiting: Waiter = {
        admit: () => {
          settle()
          resolve(this.pass())
        },
      }
      const timer = setTimeout(() => {
        settle()
        reject(new TenantPaused(this.#tenantId, retryAfterSeconds()))
      }, limits.waitMs)
      const onAbort = (): void => {
        settle()
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
    })
  }

  /**
   * Closes the entrance and waits until all have left.
   * @returns true if they have; false if some had not after `timeoutMs`
   */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#closed = true
    if (this.#inFlight === 0) return true
    return new Promise((resolve) => {
      const settle = (drained: boolean): void => {
        clearTimeout(timer)
        this.#emptied = null
        resolve(drained)
      }
      const timer = setTimeout(() => settle(false), timeoutMs)
      this.#emptied = () => settle(true)
    })
  }

  /** Opens again and admits all that wait, in the order in which they came. */
  open(): void {
    this.#closed = false
    for (const waiting of this.#waiting) waiting.admit()
  }
}
