/** The snapshots that wait for their check, and how many are checked in parallel. */

import PQueue from 'p-queue'
import { oneQuestionBytesMax } from '../check/read-snapshot.ts'

/** While at most so many snapshots wait, small ones are checked one after the other. */
const waitingMax = 2

/**
 * Checks small snapshots one after the other while one child keeps up. A second child would take processor time from
 * the hold of the tenant that is paused, and prolong the pause. If more snapshots wait than `waitingMax`, or if a large
 * one is there, as many are checked in parallel as the limit allows.
 */
export class CheckQueue {
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #parallelMax: number
  /** Large snapshots that wait or are being checked. */
  #large = 0

  constructor(parallelMax: number) {
    this.#parallelMax = parallelMax
  }

  /** @param bytes size of the snapshot */
  async add<Value>(bytes: number, check: () => Promise<Value>): Promise<Value> {
    const large = bytes > oneQuestionBytesMax
    if (large) this.#large++
    const checked = this.#queue.add(check)
    if (this.#large > 0 || this.#queue.size > waitingMax) this.#queue.concurrency = this.#parallelMax
    else if (this.#queue.size === 0) this.#queue.concurrency = 1
    try {
      return await checked
    } finally {
      if (large) this.#large--
    }
  }
}
