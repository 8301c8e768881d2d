/** How fast something goes, and how long it will still take. */
import { humanMs } from '../../text/units.ts'

/**
 * The last seconds count most: a disk that turns slow, or a part that is dearer than the one before, shows soon and
 * does not flicker.
 */
const memoryMs = 5_000
/** Before that, a rate is a guess. */
const settledAfterMs = 1_000
/** A time that nobody would wait for says only that it stands still. */
const leftMsMax = 10 * 86_400_000

/** Times are on the monotonic clock; amounts are of any unit. */
export class Rate {
  readonly #beganAtMs: number
  #atMs: number
  #done: number
  /** Amount and time, each seen piece counting the less the longer ago it was. */
  #weighedDone = 0
  #weighedMs = 0

  constructor(done: number, atMs: number) {
    this.#beganAtMs = atMs
    this.#atMs = atMs
    this.#done = done
  }

  /** So much is done by now. */
  seen(done: number, atMs: number): void {
    const ms = Math.max(0, atMs - this.#atMs)
    const kept = Math.exp(-ms / memoryMs)
    this.#weighedDone = this.#weighedDone * kept + Math.max(0, done - this.#done)
    this.#weighedMs = this.#weighedMs * kept + ms
    this.#done = Math.max(this.#done, done)
    this.#atMs = Math.max(this.#atMs, atMs)
  }

  /** Amount a millisecond; null where nothing sensible can be said: in the first moment, and while nothing moves. */
  get rate(): number | null {
    if (this.#atMs - this.#beganAtMs < settledAfterMs || this.#weighedMs <= 0 || this.#weighedDone <= 0) return null
    return this.#weighedDone / this.#weighedMs
  }

  /** null where nothing sensible can be said. */
  leftMs(total: number): number | null {
    const { rate } = this
    if (rate === null || total <= this.#done) return null
    const ms = (total - this.#done) / rate
    return ms <= leftMsMax ? ms : null
  }
}

/** `7 s left`, `2 min 5 s left`: whole seconds, never none. */
export const timeLeft = (ms: number): string =>
  `${ms < 59_000 ? `${Math.max(1, Math.ceil(ms / 1000))} s` : humanMs(Math.ceil(ms / 1000) * 1000)} left`
