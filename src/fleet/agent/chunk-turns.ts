/**
 * One chunk at a time. An incident does not wait for the end of the chunk of a sweep. That chunk gives up its turn
 * between two tenants, and goes on afterwards.
 */

import type { Lane } from '../jobs/jobs.ts'

export interface ChunkTurn extends Disposable {
  /** Aborts when an incident waits for the turn. */
  readonly yielding: AbortSignal
}

interface WaitingChunk {
  readonly lane: Lane
  readonly start: () => void
}

export class ChunkTurns {
  readonly #waiting: WaitingChunk[] = []
  #current: { readonly lane: Lane; readonly yielding: AbortController } | null = null

  /** Waits for the turn; incidents come first. @throws the signal's reason */
  async take(lane: Lane, signal: AbortSignal): Promise<ChunkTurn> {
    signal.throwIfAborted()
    if (this.#current !== null) await this.#wait(lane, signal)
    const current = { lane, yielding: new AbortController() }
    this.#current = current
    return {
      yielding: current.yielding.signal,
      [Symbol.dispose]: () => {
        if (this.#current !== current) return
        this.#current = null
        this.#next()?.start()
      },
    }
  }

  #wait(lane: Lane, signal: AbortSignal): Promise<void> {
    if (lane === 'incident' && this.#current?.lane === 'sweep') this.#current.yielding.abort()
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason as Error)
      }
      const waiting: WaitingChunk = {
        lane,
        start: () => {
          signal.removeEventListener('abort', abort)
          resolve()
        },
      }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  #next(): WaitingChunk | undefined {
    const incident = this.#waiting.findIndex(({ lane }) => lane === 'incident')
    return this.#waiting.splice(Math.max(0, incident), 1)[0]
  }
}
