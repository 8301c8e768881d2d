/**
 * The way into one tenant: requests and background jobs pass through it; closed, they wait, and it can be told when all
 * have left.
 */
import { TenantPaused } from './paused.ts'

/** One request or job inside a tenant. Call it, or let `using` call it, when it ends; more than once is harmless. */
export interface Passage extends Disposable, AsyncDisposable {
  (): void
  /** False once left. */
  readonly inside: boolean
}

/** What a passage is made of, before it is handed out read-only. */
type Leave = (() => void) & {
  inside: boolean
  [Symbol.dispose]: () => void
  [Symbol.asyncDispose]: () => Promise<void>
}

interface Waiting {
  readonly admit: () => void
}

export class Turnstile {
  readonly #tenantId: string
  readonly #onIdle: () => void
  readonly #waiting = new Set<Waiting>()
  #closed = false
  #inFlight = 0
  #emptied: (() => void) | null = null

  /** `onIdle` is called each time the last one has left and nobody waits. */
  constructor(tenantId: string, onIdle: () => void) {
    this.#tenantId = tenantId
    this.#onIdle = onIdle
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Nobody inside, nobody waiting, and open: nothing would be lost by forgetting it. */
  get idle(): boolean {
    return !this.#closed && this.#inFlight === 0 && this.#waiting.size === 0
  }

  /** Goes in without regard to the gate: for what runs inside a passage already, which the drain waits for anyway. */
  pass(): Passage {
    this.#inFlight++
    const leave = ((): void => {
      if (!leave.inside) return
      leave.inside = false
      this.#inFlight--
      if (this.#inFlight === 0) this.#emptied?.()
      if (this.idle) this.#onIdle()
    }) as Leave
    // Set one by one: every request of the service comes through here.
    leave.inside = true
    leave[Symbol.dispose] = leave
    leave[Symbol.asyncDispose] = async () => leave()
    return leave
  }

  /**
   * Goes in, or waits until the tenant is open again.
   * @throws {TenantPaused} after `waitMs`, or at once when `waitingMax` wait already. Rejects with the signal's reason.
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
      // Counted inside at the moment of admission, so that the next drain cannot overlook it.
      const waiting: Waiting = {
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
   * Lets nobody in from now on, and resolves when all have left: true; or false when they had not after `timeoutMs`.
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

  /** Opens again and lets all that wait go in, in the order in which they came. */
  open(): void {
    this.#closed = false
    for (const waiting of this.#waiting) waiting.admit()
  }
}
