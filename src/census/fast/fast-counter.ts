/**
 * Counts the pages on which all is plain by the compiled core, and leaves all others to the JavaScript beside it: a
 * payload that reaches into overflow pages beyond those at hand, a record or an order with which something is wrong,
 * page 1, and whatever else the core gives back. It adds all of a page or nothing.
 *
 * The sums of a page are the same either way: test/census/fast/fast-counter.test.ts compares them, page by page.
 */

import { invariant } from '../../model/bug.ts'
import { localBytesMax, spilledBytesMin } from '../../sqlite/cell.ts'
import type { CensusPlan } from '../plan.ts'
import type { Payloads } from '../record/payload.ts'
import type { Interior, Separator } from '../scan/separators.ts'
import type { CensusTally } from '../scan/tally.ts'
import { isTrap } from './compiled-core.ts'
import type { CompiledCore } from './compiled-core.ts'
import { countedBytes, flatten } from './plan-layout.ts'

/**
 * Bytes of pages that are laid into the memory at once: many times what a disk needs to be kept busy, and it fits the
 * processor's cache.
 */
const pieceBytesUsual = 1 << 20
/** Bytes of interior pages that are kept there. */
const interiorBytes = 1 << 20
/** Fingerprints of one page; a page of more is not plain. */
const listedMax = 32_768
const listedBytes = 12
/** Bytes of a payload that reaches into overflow pages; a longer one is not plain. */
const payloadBytesMax = 1 << 18
const columnBytes = 24
const lanesAt = 64
const countedAt = 256

export const pieceBytesOf = (pageSize: number): number => Math.floor(pieceBytesUsual / pageSize) * pageSize

export class FastCounter {
  /** Room for consecutive pages. What is to be counted lies in it. */
  readonly piece: Uint8Array
  readonly #core: CompiledCore
  readonly #plan: CensusPlan
  readonly #payloads: Payloads
  readonly #trees: readonly number[]
  readonly #entries: Int32Array
  readonly #bytes: Float64Array
  readonly #sums: Int32Array
  readonly #interiorRoom: Uint8Array
  readonly #interiors: (Interior | null)[]
  /** Trees of which pages have been counted that the tally does not know of. */
  readonly #counted = new Set<number>()

  /** @param payloads whose limit of overflow pages holds for the core as well */
  constructor(core: CompiledCore, plan: CensusPlan, key: readonly [number, number], payloads: Payloads) {
    const { pageSize, usable, buckets, encoding, trees } = plan
    const sumsAt = countedAt + trees.length * countedBytes
    const flatAt = sumsAt + trees.length * buckets * 12
    const flat = flatten(plan, flatAt, countedAt, sumsAt)
    let next = flatAt + 4 * flat.words.length
    const room = (bytes: number): number => {
      const at = Math.ceil(next / 64) * 64
      next = at + bytes
      return at
    }
    const columnsEach = columnBytes * (flat.columnsMax + 1)
    const columnsAt = room(3 * columnsEach)
    const entriesAt = room(listedMax * listedBytes)
    const contentsAt = room(listedMax * listedBytes)
    const wordBytes = Math.max(1 << 19, 16 * pageSize)
    const wordsAt = room(wordBytes)
    const payloadsAt = room(2 * payloadBytesMax)
    const interiors = Math.max(2, Math.floor(interiorBytes / pageSize))
    const interiorsAt = room(interiors * pageSize)
    const pieceBytes = pieceBytesOf(pageSize)
    const pieceAt = room(pieceBytes)
    // Whole words are loaded where only their first bytes belong to a value.
    room(64)
    const memory = core.memoryFor(this, next)
    core.functions.begin(
      pageSize,
      usable,
      localBytesMax(usable, 'table'),
      localBytesMax(usable, 'index'),
      spilledBytesMin(usable),
      encoding,
      buckets,
      columnsAt,
      columnsEach,
      wordsAt,
      wordsAt + wordBytes,
      payloadsAt,
      Math.min(payloadBytesMax, plan.pages * usable),
    )
    core.functions.beginFingerprints(key[0], key[1], entriesAt, contentsAt, listedMax, lanesAt)
    new Uint8Array(memory, countedAt, flatAt - countedAt).fill(0)
    new Int32Array(memory, flatAt, flat.words.length).set(flat.words)
    this.#core = core
    this.#plan = plan
    this.#payloads = payloads
    this.#trees = flat.trees
    this.#entries = new Int32Array(memory, countedAt, (trees.length * countedBytes) / 4)
    this.#bytes = new Float64Array(memory, countedAt, (trees.length * countedBytes) / 8)
    this.#sums = new Int32Array(memory, sumsAt, trees.length * buckets * 3)
    this.#interiorRoom = new Uint8Array(memory, interiorsAt, interiors * pageSize)
    this.#interiors = Array.from<Interior | null>({ length: interiors }).fill(null)
    this.piece = new Uint8Array(memory, pieceAt, pieceBytes)
  }

  /** Takes pages into the piece, where they are not there already. @param firstPage number of the first */
  take(pages: Uint8Array, firstPage: number): void {
    if (pages.buffer !== this.piece.buffer) this.piece.set(pages)
    else invariant(pages.byteOffset === this.piece.byteOffset, 'pages lie at the beginning of the piece')
    this.#core.functions.beginPiece(this.piece.byteOffset, firstPage, pages.length / this.#plan.pageSize)
  }

  /**
   * Counts a page of a tree. False, and nothing was added, where it is not plain.
   * @param start byte of `piece` at which it begins
   * @param left the key to its left, `right` the one to its right
   */
  count(tree: number, start: number, page: number, left: Separator | null, right: Separator | null): boolean {
    invariant(this.#core.user === this, 'the compiled core counts for somebody else by now')
    const flat = this.#trees[tree] ?? 0
    const leftAt = left === null ? 0 : this.#place(left.interior)
    const rightAt = right === null ? 0 : this.#place(right.interior)
    // Behind the header of the file, page 1 is not laid out as the others.
    if (page === 1 || left?.interior.page === 1 || right?.interior.page === 1) return false
    // Two interior pages that take each other's place.
    if (leftAt === rightAt && left?.interior !== right?.interior) return false
    const { functions } = this.#core
    const at = this.piece.byteOffset + start
    const leftCell = left?.cell ?? 0
    const rightCell = right?.cell ?? 0
    const { pagesLeft } = this.#payloads
    try {
      const overflowPages =
        this.#plan.trees[tree]?.kind === 'rowid-table'
          ? functions.countRows(at, flat, leftAt, leftCell, rightAt, rightCell, pagesLeft)
          : functions.countEntries(at, flat, leftAt, leftCell, rightAt, rightCell, pagesLeft)
      if (overflowPages < 0) return false
      this.#payloads.pagesLeft = pagesLeft - overflowPages
    } catch (error) {
      // The core reads within its memory only. Should it ever not, it stops before it has added anything.
      if (isTrap(error)) return false
      throw error
    }
    this.#counted.add(tree)
    return true
  }

  /** Moves what has been counted into a tally. */
  moveInto(tally: CensusTally): void {
    for (const tree of this.#counted) {
      const at = (tree * countedBytes) / 4
      tally.entries[tree] = (tally.entries[tree] ?? 0) + (this.#entries[at] ?? 0)
      tally.digests[2 * tree] = ((tally.digests[2 * tree] ?? 0) + (this.#entries[at + 1] ?? 0)) | 0
      tally.digests[2 * tree + 1] = ((tally.digests[2 * tree + 1] ?? 0) + (this.#entries[at + 2] ?? 0)) | 0
      tally.bytes[tree] = (tally.bytes[tree] ?? 0) + (this.#bytes[at / 2 + 2] ?? 0)
      this.#entries.fill(0, at, at + countedBytes / 4)
      const plan = this.#plan.trees[tree]
      if (plan?.kind === 'index') this.#moveSums(tree, tally)
      else for (const index of plan?.indexes ?? []) this.#moveSums(index, tally)
    }
    this.#counted.clear()
  }

  #moveSums(index: number, tally: CensusTally): void {
    const each = 3 * this.#plan.buckets
    const to = (index + 1) * each
    const from = this.#sums
    const into = tally.sums
    for (let i = index * each; i < to; i++) {
      into[i] = ((into[i] ?? 0) + (from[i] ?? 0)) | 0
      from[i] = 0
    }
  }

  /** Where the core finds an interior page. */
  #place(interior: Interior): number {
    const slot = interior.page % this.#interiors.length
    const at = slot * this.#plan.pageSize
    if (this.#interiors[slot] !== interior) {
      this.#interiorRoom.set(interior.bytes, at)
      this.#interiors[slot] = interior
    }
    return this.#interiorRoom.byteOffset + at
  }
}
