/** The snapshots that wait to be read, and how many are read at once. */
import PQueue from 'p-queue'
import { oneChildBytesMax } from '../check/read-snapshot.ts'

/** So many may wait before more than one is read. */
const waitingMax = 2

/**
 * Small snapshots are read one after the other for as long as one child keeps up: a second one takes its time from the
 * tenant that stands still, for whose end all others wait. Where too many wait, and beside a large snapshot, as many
 * are read as may be.
 */
export class CheckQueue {
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #atOnceMax: number
  /** Large snapshots that are being read or wait. */
  #large = 0

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax
  }

  /** @param bytes of the snapshot */
  async add<Value>(bytes: number, check: () => Promise<Value>): Promise<Value> {
    const large = bytes > oneChildBytesMax
    if (large) this.#large++
    const checked = this.#queue.add(check)
    if (this.#large > 0 || this.#queue.size > waitingMax) this.#queue.concurrency = this.#atOnceMax
    else if (this.#queue.size === 0) this.#queue.concurrency = 1
    try {
      return await checked
    } finally {
      if (large) this.#large--
    }
  }
}
