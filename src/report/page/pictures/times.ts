/** How long something took in a run: how often in each range, and the longest. */

/** Upper bounds in ms. Longer ones have a last range of their own. */
const boundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000]
const longestMax = 5

interface TimeRange {
  /** 0 for the first range. */
  readonly fromMs: number
  /** Infinity for the last range. */
  readonly upToMs: number
  readonly count: number
}

interface LongTime {
  readonly name: string
  readonly ms: number
}

export class Times {
  readonly #counts: number[] = Array.from({ length: boundsMs.length + 1 }, () => 0)
  #longest: readonly LongTime[] = []
  #total = 0

  add(ms: number | null, name: string): void {
    if (ms === null) return
    this.#total++
    const found = boundsMs.findIndex((bound) => ms <= bound)
    const at = found < 0 ? boundsMs.length : found
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    const shortest = this.#longest.at(-1)
    if (this.#longest.length < longestMax || (shortest !== undefined && ms > shortest.ms))
      this.#longest = [...this.#longest, { name, ms }].toSorted((a, b) => b.ms - a.ms).slice(0, longestMax)
  }

  get total(): number {
    return this.#total
  }

  /** The longest first. */
  get longest(): readonly LongTime[] {
    return this.#longest
  }

  /** From the first range that has any to the last. */
  get ranges(): readonly TimeRange[] {
    const all = this.#counts.map((count, at) => ({
      fromMs: boundsMs[at - 1] ?? 0,
      upToMs: boundsMs[at] ?? Infinity,
      count,
    }))
    const first = all.findIndex(({ count }) => count > 0)
    const last = all.findLastIndex(({ count }) => count > 0)
    return first < 0 ? [] : all.slice(first, last + 1)
  }
}
