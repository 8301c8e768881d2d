/** The questions of a comparison by key, as the process of a chunk gets them from its agent. */

import type { RowQuestion } from './row-questions.ts'

export class AgentQuestions {
  readonly #ask: () => void
  #waiting: ((question: RowQuestion | null) => void) | null = null
  #isClosed = false

  /** @param ask asks the agent for the next question */
  constructor(ask: () => void) {
    this.#ask = ask
  }

  /** @returns null if nothing more is asked, or the agent is gone. To be called one after the other. */
  next(): Promise<RowQuestion | null> {
    if (this.#isClosed) return Promise.resolve(null)
    const { promise, resolve } = Promise.withResolvers<RowQuestion | null>()
    this.#waiting = resolve
    this.#ask()
    return promise
  }

  hear(question: RowQuestion | null): void {
    this.#waiting?.(question)
    this.#waiting = null
  }

  close(): void {
    this.#isClosed = true
    this.hear(null)
  }
}
