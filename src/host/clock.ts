/** Milliseconds on a clock that never jumps. Its zero has no meaning. It stops while the machine is suspended. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Rejects with the signal's reason when the signal aborts, and immediately if it has already. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

/**
 * A deadline for one piece of work. Dispose it when the work is done; a deadline that expires later makes an unwanted
 * error.
 */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/** Starts a deadline in `ms` from now. Its signal aborts with a TimeoutError. It does not keep the process alive. */
export function startDeadline(ms: number): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')), ms)
  timer.unref()
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) }
}

/** Resolves when the signal aborts, and immediately if it has already. For `Promise.race` with a call that may hang. */
export function nullOnAbort(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null)
    else signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}

/** Resolves after everything that the event loop can do now. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Lets the event loop turn during long work on the main thread, so that leases are released in time (hold/README.md
 * F12).
 */
export class EventLoopYielder {
  #taken = monotonicMs()

  /** Resolves without a turn unless 10 ms have passed since the last one. */
  async take(): Promise<void> {
    if (monotonicMs() - this.#taken < 10) return
    await nextTurn()
    this.#taken = monotonicMs()
  }
}
