/**
 * Collects the rows of unequal buckets of each side, and then matches them. A row takes 24 bytes in a typed array; an
 * object would take ten times as much.
 */

import { rowBucketOf } from './row-sums.ts'
import type { RowSink } from './table-rows.ts'

/** The rows of one side, in the order in which they were read. */
export interface RowEntries {
  readonly count: number
  readonly keyLow: Int32Array
  readonly keyHigh: Int32Array
  readonly contentLow: Int32Array
  readonly contentHigh: Int32Array
}

export class CollectedRows implements RowSink {
  /** True if there were more rows than may be collected. The others are not in it. */
  full = false
  readonly #wanted: Uint8Array | null
  readonly #max: number
  #count = 0
  #words = new Int32Array(6 * 1024)

  /** @param wanted a mark for each bucket; null for all @param max rows */
  constructor(wanted: Uint8Array | null, max: number) {
    this.#wanted = wanted
    this.#max = max
  }

  wants(low: number, high: number): boolean {
    return this.#wanted === null || this.#wanted[rowBucketOf(low, high)] === 1
  }

  add(keyLow: number, keyHigh: number, contentLow: number, contentHigh: number, first: number, second: number): void {
    if (this.#count >= this.#max) {
      this.full = true
      return
    }
    if ((this.#count + 1) * 6 > this.#words.length) this.#grow()
    const at = 6 * this.#count++
    const words = this.#words
    words[at] = keyLow
    words[at + 1] = keyHigh
    words[at + 2] = contentLow
    words[at + 3] = contentHigh
    words[at + 4] = first
    words[at + 5] = second
  }

  entries(): RowEntries {
    const column = (offset: number): Int32Array => {
      const values = new Int32Array(this.#count)
      for (let i = 0; i < values.length; i++) values[i] = this.#words[6 * i + offset] ?? 0
      return values
    }
    return { count: this.#count, keyLow: column(0), keyHigh: column(1), contentLow: column(2), contentHigh: column(3) }
  }

  /** The two words that name the row at `index`; null if there is no such row. */
  nameOf(index: number): readonly [number, number] | null {
    return index >= this.#count ? null : [this.#words[6 * index + 4] ?? 0, this.#words[6 * index + 5] ?? 0]
  }

  #grow(): void {
    const words = new Int32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
  }
}

/** Positions of the rows without a counterpart. `different`: rows of A whose key B has too, with other content. */
interface MatchedRows {
  readonly onlyInA: Uint32Array
  readonly onlyInB: Uint32Array
  readonly different: Uint32Array
}

/**
 * Computes the difference of two multisets. If one of several equal rows is extra, it is not known which: the last ones
 * that were read are named.
 * @param identity `content`: rows have no key, so there are no `different` rows
 */
export function matchRows(a: RowEntries, b: RowEntries, identity: 'key' | 'content'): MatchedRows {
  const orderA = inOrder(a)
  const orderB = inOrder(b)
  const onlyInA: number[] = []
  const onlyInB: number[] = []
  const different: number[] = []
  let i = 0
  let j = 0
  while (i < orderA.length || j < orderB.length) {
    const first =
      j >= orderB.length || (i < orderA.length && compareKeys(a, orderA[i] ?? 0, b, orderB[j] ?? 0) <= 0)
        ? { of: a, at: orderA[i] ?? 0 }
        : { of: b, at: orderB[j] ?? 0 }
    const fromA = i
    const fromB = j
    while (i < orderA.length && compareKeys(a, orderA[i] ?? 0, first.of, first.at) === 0) i++
    while (j < orderB.length && compareKeys(b, orderB[j] ?? 0, first.of, first.at) === 0) j++
    const [leftA, leftB] = withoutEqual(a, orderA.subarray(fromA, i), b, orderB.subarray(fromB, j))
    const pairs = identity === 'key' ? Math.min(leftA.length, leftB.length) : 0
    for (const at of leftA.splice(0, pairs)) different.push(at)
    for (const at of leftA) onlyInA.push(at)
    for (const at of leftB.slice(pairs)) onlyInB.push(at)
  }
  return {
    onlyInA: Uint32Array.from(onlyInA),
    onlyInB: Uint32Array.from(onlyInB),
    different: Uint32Array.from(different),
  }
}

/** The rows of one key that are not on both sides. @param rowsA in the order of their content, as `rowsB` */
function withoutEqual(
  a: RowEntries,
  rowsA: Uint32Array,
  b: RowEntries,
  rowsB: Uint32Array,
): readonly [number[], number[]] {
  const leftA: number[] = []
  const leftB: number[] = []
  let i = 0
  let j = 0
  while (i < rowsA.length || j < rowsB.length) {
    const order = i >= rowsA.length ? 1 : j >= rowsB.length ? -1 : compareContents(a, rowsA[i] ?? 0, b, rowsB[j] ?? 0)
    if (order < 0) leftA.push(rowsA[i] ?? 0)
    if (order > 0) leftB.push(rowsB[j] ?? 0)
    if (order <= 0) i++
    if (order >= 0) j++
  }
  return [leftA, leftB]
}

/** Positions ordered by key, then by content, then as they were read. */
function inOrder(entries: RowEntries): Uint32Array {
  return Uint32Array.from({ length: entries.count }, (_, i) => i).sort(
    (x, y) => compareKeys(entries, x, entries, y) || compareContents(entries, x, entries, y) || x - y,
  )
}

const compareKeys = (a: RowEntries, x: number, b: RowEntries, y: number): number =>
  (a.keyLow[x] ?? 0) - (b.keyLow[y] ?? 0) || (a.keyHigh[x] ?? 0) - (b.keyHigh[y] ?? 0)
const compareContents = (a: RowEntries, x: number, b: RowEntries, y: number): number =>
  (a.contentLow[x] ?? 0) - (b.contentLow[y] ?? 0) || (a.contentHigh[x] ?? 0) - (b.contentHigh[y] ?? 0)
