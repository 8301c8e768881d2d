/** How fast something goes, and how long it will still take. */
import { humanMs } from '../../text/units.ts'

/** The last seconds count most: a disk that becomes slow, or a slower part of the work, shows soon without flicker. */
const memoryMs = 5_000
/** An earlier rate is a guess. */
const settledAfterMs = 1_000
/** A longer time says only that the work makes no progress. */
const leftMsMax = 10 * 86_400_000

/** Times are on the monotonic clock; amounts are of any unit. */
export class Rate {
  readonly #beganAtMs: number
  #atMs: number
  #done: number
  /** Amount and time; earlier pieces count less. */
  #weightedDone = 0
  #weightedMs = 0

  constructor(done: number, atMs: number) {
    this.#beganAtMs = atMs
    this.#atMs = atMs
    this.#done = done
  }

  /** Takes note that so much is done by now. */
  observe(done: number, atMs: number): void {
    const ms = Math.max(0, atMs - this.#atMs)
    const weight = Math.exp(-ms / memoryMs)
    this.#weightedDone = this.#weightedDone * weight + Math.max(0, done - this.#done)
    this.#weightedMs = this.#weightedMs * weight + ms
    this.#done = Math.max(this.#done, done)
    this.#atMs = Math.max(this.#atMs, atMs)
  }

  /** Amount a millisecond; null in the first second, and while there is no progress. */
  get rate(): number | null {
    if (this.#atMs - this.#beganAtMs < settledAfterMs || this.#weightedMs <= 0 || this.#weightedDone <= 0) return null
    return this.#weightedDone / this.#weightedMs
  }

  /** null without a rate, or if the time is absurdly long. */
  leftMs(total: number): number | null {
    const { rate } = this
    if (rate === null || total <= this.#done) return null
    const ms = (total - this.#done) / rate
    return ms <= leftMsMax ? ms : null
  }
}

/** `7 s left`, `2 min 5 s left`: whole seconds, at least 1. */
export const timeLeft = (ms: number): string =>
  `${ms < 59_000 ? `${Math.max(1, Math.ceil(ms / 1000))} s` : humanMs(Math.ceil(ms / 1000) * 1000)} left`
