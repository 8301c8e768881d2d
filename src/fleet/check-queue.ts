/** The snapshots that wait for their check, and how many are checked in parallel. */

import PQueue from 'p-queue'
import { oneChildBytesMax } from '../check/read-snapshot.ts'

/** While no more snapshots wait than this, small ones are checked one after the other. */
const waitingMax = 2

/**
 * Checks small snapshots one after the other while one child keeps up: a second child takes processor time from the
 * tenant that is paused, and all later tenants wait for the end of that pause. If more snapshots wait, or a large one
 * is there, as many are checked in parallel as the limit allows.
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
    const large = bytes > oneChildBytesMax
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
