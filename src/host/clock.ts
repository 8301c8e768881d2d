/**
 * Milliseconds on a clock that never jumps. Its zero means nothing, and it stands still while the machine is suspended.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Rejects with the signal's reason when it aborts, at once when it already has. */
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
 * A deadline for one piece of work. Dispose it when the work is done: one that runs out later makes an error that
 * nobody wants.
 */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/** Starts a deadline in `ms` from now; its signal aborts with a TimeoutError. Does not keep the process alive. */
export function startDeadline(ms: number): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')), ms)
  timer.unref()
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) }
}

/** After everything that can go on by now. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Lets the event loop turn in long work on the main thread, so that leases can be given up in time (hold/README.md
 * F12).
 */
export class Breath {
  #taken = monotonicMs()

  /** Returns at once unless 10 ms have passed since the last turn. */
  async take(): Promise<void> {
    if (monotonicMs() - this.#taken < 10) return
    await nextTurn()
    this.#taken = monotonicMs()
  }
}
