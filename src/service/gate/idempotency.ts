/**
 * Idempotency keys: a request whose answer was lost can be sent again. It gets the same answer, and no second lease.
 */
import type { Callers } from './caller.ts'
import { Problem } from './http/problem.ts'

const keepMs = 3_600_000
const keysMax = 20_000

interface StoredAnswer {
  readonly fingerprint: string
  /** null while the work goes on. */
  readonly answer: object | null
  /** The callers that wait for it; null when it is done. */
  readonly callers: Callers | null
  readonly storedAt: number
}

export class IdempotencyKeys {
  readonly #entries = new Map<string, StoredAnswer>()

  /**
   * Does the work unless it was done under this key before. Only success is stored. A caller that asks while the work
   * goes on joins its callers.
   * @throws {Problem} in-progress, idempotency-key-reused
   */
  async once<Answer extends object>(
    key: string,
    fingerprint: string,
    callers: Callers,
    work: (callers: Callers) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }> {
    this.#forgetOld()
    const entry = this.#entries.get(key)
    if (entry) {
      if (entry.fingerprint !== fingerprint)
        throw new Problem('idempotency-key-reused', 'this key came with another request before')
      if (entry.answer === null) {
        entry.callers?.join(callers)
        throw new Problem('in-progress', 'ask again in a moment', { headers: { 'retry-after': '1' } })
      }
      return { answer: entry.answer as Answer, replayed: true }
    }
    this.#entries.set(key, { fingerprint, answer: null, callers, storedAt: performance.now() })
    try {
      const answer = await work(callers)
      // Set again, so that the map stays sorted by age.
      this.#entries.delete(key)
      this.#entries.set(key, { fingerprint, answer, callers: null, storedAt: performance.now() })
      return { answer, replayed: false }
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
  }

  /** Removes the oldest first, and never work that goes on. */
  #forgetOld(): void {
    const now = performance.now()
    for (const [key, entry] of this.#entries) {
      if (entry.answer === null) continue
      if (now - entry.storedAt < keepMs && this.#entries.size < keysMax) return
      this.#entries.delete(key)
    }
  }
}
