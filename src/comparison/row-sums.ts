/**
 * Finds where two tables differ with few numbers. The fingerprint of a row's key decides its bucket. A bucket has the
 * sum of its rows' contents and their number. Only the rows of unequal buckets must be compared one by one, in as many
 * passes as their number needs.
 */

import type { RowSink } from './table-rows.ts'

/** Buckets of a table: a power of two. They take 48 KB. Of ten million rows each has two or three thousand. */
const rowBuckets = 4096
const numbersEach = 3

export const rowBucketOf = (low: number, high: number): number => (low ^ high) & (rowBuckets - 1)

export class RowSums implements RowSink {
  /** Per bucket: two words of the sum, and the number of rows. */
  readonly sums = new Int32Array(rowBuckets * numbersEach)
  #low = 0
  #high = 0
  #keyedLow = 0
  #keyedHigh = 0

  wants(): boolean {
    return true
  }

  add(keyLow: number, keyHigh: number, contentLow: number, contentHigh: number): void {
    const at = rowBucketOf(keyLow, keyHigh) * numbersEach
    const { sums } = this
    sums[at] = (sums[at] ?? 0) + contentLow
    sums[at + 1] = (sums[at + 1] ?? 0) + contentHigh
    sums[at + 2] = (sums[at + 2] ?? 0) + 1
    this.#low = (this.#low + contentLow) | 0
    this.#high = (this.#high + contentHigh) | 0
    // Products: sums alone would be equal if two rows exchanged their keys.
    this.#keyedLow = (this.#keyedLow + Math.imul(contentLow ^ keyHigh, keyLow | 1)) | 0
    this.#keyedHigh = (this.#keyedHigh + Math.imul(contentHigh ^ keyLow, keyHigh | 1)) | 0
  }

  /** The digest of the table, as `tableDigest` in census/scan/tally.ts has it. */
  get digest(): string {
    return inHex(this.#low, this.#high)
  }

  /** Equal only if the same keys have the same contents. Comparable within one run, whose fingerprints have one key. */
  get keyedDigest(): string {
    return inHex(this.#keyedLow, this.#keyedHigh)
  }
}

const inHex = (...words: readonly number[]): string =>
  words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')

/**
 * Divides the unequal buckets among passes.
 * @param rowsEachPass most rows of both sides in a pass; a bucket with more has a pass of its own
 * @returns for each pass a mark for each bucket
 */
export function passesOver(a: Int32Array, b: Int32Array, rowsEachPass: number): readonly Uint8Array[] {
  const passes: Uint8Array[] = []
  let wanted: Uint8Array | null = null
  let rows = 0
  for (let bucket = 0; bucket < rowBuckets; bucket++) {
    const at = bucket * numbersEach
    const equal = a[at] === b[at] && a[at + 1] === b[at + 1] && a[at + 2] === b[at + 2]
    if (equal) continue
    const more = (a[at + 2] ?? 0) + (b[at + 2] ?? 0)
    if (wanted === null || rows + more > rowsEachPass) {
      wanted = new Uint8Array(rowBuckets)
      passes.push(wanted)
      rows = 0
    }
    wanted[bucket] = 1
    rows += more
  }
  return passes
}
