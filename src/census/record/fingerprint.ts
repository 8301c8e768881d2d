/**
 * Fingerprints of 64 bits: HalfSipHash-1-3 over the normalised columns. The key is random in each run, so the maker of
 * a file cannot know which entries would cancel out. The second word of the result comes from the two words of the
 * state that the first does not use.
 *
 * The state lies in fields between columns, and in locals within one column. The round of the hash is written out three
 * times. Both are for speed (src/census/README.md, "Figures").
 */

import { kinds } from './columns.ts'
import type { Columns } from './columns.ts'

/** These words stand before integers of more than 29, and of more than 32 bits. */
const wide = 5
const widest = 6

export class Fingerprint {
  /** The result, after `end`. */
  low = 0
  high = 0
  #v0 = 0
  #v1 = 0
  #v2 = 0
  #v3 = 0
  #m0 = 0
  #m1 = 0
  #m2 = 0
  #m3 = 0
  readonly #key0: number
  readonly #key1: number

  constructor(key: readonly [number, number]) {
    this.#key0 = key[0] | 0
    this.#key1 = key[1] | 0
  }

  begin(): void {
    this.#v0 = this.#key0
    this.#v1 = this.#key1
    this.#v2 = this.#key0 ^ 0x6c796765
    this.#v3 = this.#key1 ^ 0x74656462
  }

  /** Saves the state for `resume`: the entries of several indexes begin with the same rowid. */
  mark(): void {
    this.#m0 = this.#v0
    this.#m1 = this.#v1
    this.#m2 = this.#v2
    this.#m3 = this.#v3
  }

  resume(): void {
    this.#v0 = this.#m0
    this.#v1 = this.#m1
    this.#v2 = this.#m2
    this.#v3 = this.#m3
  }

  /**
   * Adds the rowid of an entry. Comes first. Most rowids fit into one word. The others begin with another state, so
   * that the two cannot be confused.
   */
  rowid(low: number, high: number): void {
    if (high !== low >> 31) {
      this.#v0 ^= 1
      this.#word(high)
    }
    this.#word(low)
  }

  /**
   * Adds a column. Its first word has its kind, and its length or the value of a small integer. So two different
   * sequences of columns never give the same words.
   */
  column(columns: Columns, i: number): void {
    const kind = columns.kind[i] ?? 0
    if (kind === kinds.integer) {
      const low = columns.low[i] ?? 0
      const high = columns.high[i] ?? 0
      const small = low << 3
      if (high !== low >> 31) {
        this.#word(widest)
        this.#word(low)
        this.#word(high)
      } else if (small >> 3 === low) this.#word(kind | small)
      else {
        this.#word(wide)
        this.#word(low)
      }
    } else if (kind >= kinds.text) {
      const length = columns.length[i] ?? 0
      this.#bytes(kind | (length << 3), columns.view, columns.at[i] ?? 0, length)
    } else {
      this.#word(kind)
      if (kind !== kinds.real) return
      this.#word(columns.low[i] ?? 0)
      this.#word(columns.high[i] ?? 0)
    }
  }

  end(): void {
    let v0 = this.#v0,
      v1 = this.#v1,
      v2 = this.#v2 ^ 0xff,
      v3 = this.#v3
    for (let i = 0; i < 3; i++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    this.low = v1 ^ v3
    this.high = v0 ^ v2
  }

  #word(word: number): void {
    let v0 = this.#v0,
      v1 = this.#v1,
      v2 = this.#v2,
      v3 = this.#v3 ^ word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    this.#v0 = v0 ^ word
    this.#v1 = v1
    this.#v2 = v2
    this.#v3 = v3
  }

  /**
   * Adds a first word, then four bytes in each round. The last word is filled up with zeros. They cannot be confused
   * with zeros of the value, because the first word has the length.
   */
  #bytes(first: number, view: DataView, from: number, length: number): void {
    let v0 = this.#v0,
      v1 = this.#v1,
      v2 = this.#v2,
      v3 = this.#v3
    const end = from + length
    let word = first
    let at = from
    for (;;) {
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
      if (at >= end) break
      if (at + 4 <= end) word = view.getInt32(at, true)
      else {
        word = 0
        for (let i = at; i < end; i++) word |= view.getUint8(i) << (8 * (i - at))
      }
      at += 4
    }
    this.#v0 = v0
    this.#v1 = v1
    this.#v2 = v2
    this.#v3 = v3
  }
}

/** The words of a column in a fingerprint. The compiled core needs them for values that do not lie on a page. */
export function wordsOf(columns: Columns, i: number): readonly number[] {
  const kind = columns.kind[i] ?? 0
  const low = columns.low[i] ?? 0
  const high = columns.high[i] ?? 0
  switch (kind) {
    case kinds.integer:
      if (high !== low >> 31) return [widest, low, high]
      return (low << 3) >> 3 === low ? [kind | (low << 3)] : [wide, low]
    case kinds.real:
      return [kind, low, high]
    case kinds.text:
    case kinds.blob: {
      const bytes = columns.bytesAt(i)
      const padded = new DataView(new ArrayBuffer((bytes.length + 3) & ~3))
      new Uint8Array(padded.buffer).set(bytes)
      return [
        kind | (bytes.length << 3),
        ...Array.from({ length: padded.byteLength / 4 }, (_, word) => padded.getInt32(4 * word, true)),
      ]
    }
    default:
      return [kind]
  }
}
