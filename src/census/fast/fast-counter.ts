/**
 * Counts plain pages with the compiled core. JavaScript counts all others. They are page 1, pages with a payload in
 * overflow pages that are not at hand, and pages whose records or order are wrong. The core adds all of a page or
 * nothing.
 *
 * The sums of a page are the same either way: test/census/fast/fast-counter.test.ts compares them page by page.
 */

import { invariant } from '../../model/bug.ts'
import { localBytesMax, localBytesMin } from '../../sqlite/cell.ts'
import type { CensusPlan } from '../plan.ts'
import type { Payloads } from '../record/payload.ts'
import type { InteriorPage, Separator } from '../scan/separators.ts'
import type { CensusTally } from '../scan/tally.ts'
import { isTrap } from './compiled-core.ts'
import type { CompiledCore, CoreFunctions } from './compiled-core.ts'
import { flatten, treeCountBytes } from './plan-layout.ts'
import type { FlatPlan } from './plan-layout.ts'

/** Bytes of pages in the memory. Many more than a disk needs to stay busy, and they fit the processor cache. */
const pieceBytesUsual = 1 << 20
/** Bytes of interior pages that stay in the memory. */
const interiorBytes = 1 << 20
/** Most fingerprints of one page. A page with more is not plain. */
const listedMax = 32_768
const listedBytes = 12
/** Most bytes of a payload that reaches into overflow pages. A page with a longer one is not plain. */
const payloadBytesMax = 1 << 18
const columnBytes = 24
const lanesAt = 64
const countedAt = 256

export const pieceBytesOf = (pageSize: number): number => Math.floor(pieceBytesUsual / pageSize) * pageSize

export class FastCounter {
  /** Memory for consecutive pages. The pages that are counted lie in it. */
  readonly piece: Uint8Array
  readonly #core: CompiledCore
  readonly #plan: CensusPlan
  readonly #payloads: Payloads
  readonly #trees: readonly number[]
  readonly #entries: Int32Array
  readonly #bytes: Float64Array
  readonly #sums: Int32Array
  readonly #interiorBytes: Uint8Array
  readonly #interiors: (InteriorPage | null)[]
  /** Trees with pages that have been counted but not yet moved into a tally. */
  readonly #counted = new Set<number>()

  /** @param payloads limits the overflow pages that the core reads too */
  constructor(core: CompiledCore, plan: CensusPlan, key: readonly [number, number], payloads: Payloads) {
    const { pageSize, buckets, trees } = plan
    const layout = layMemoryOut(plan)
    const { flat, sumsAt, flatAt } = layout
    const memory = core.memoryFor(this, layout.bytes)
    beginPlan(core.functions, plan, key, layout)
    new Uint8Array(memory, countedAt, flatAt - countedAt).fill(0)
    new Int32Array(memory, flatAt, flat.words.length).set(flat.words)
    this.#core = core
    this.#plan = plan
    this.#payloads = payloads
    this.#trees = flat.trees
    this.#entries = new Int32Array(memory, countedAt, (trees.length * treeCountBytes) / 4)
    this.#bytes = new Float64Array(memory, countedAt, (trees.length * treeCountBytes) / 8)
    this.#sums = new Int32Array(memory, sumsAt, trees.length * buckets * 3)
    this.#interiorBytes = new Uint8Array(memory, layout.interiorsAt, layout.interiors * pageSize)
    this.#interiors = Array.from<InteriorPage | null>({ length: layout.interiors }).fill(null)
    this.piece = new Uint8Array(memory, layout.pieceAt, layout.pieceBytes)
  }

  /** Copies pages into the piece, unless they are there already. @param firstPage number of the first page */
  take(pages: Uint8Array, firstPage: number): void {
    if (pages.buffer !== this.piece.buffer) this.piece.set(pages)
    else invariant(pages.byteOffset === this.piece.byteOffset, 'pages lie at the beginning of the piece')
    this.#core.functions.beginPiece(this.piece.byteOffset, firstPage, pages.length / this.#plan.pageSize)
  }

  /**
   * Counts a page of a tree. False if the page is not plain; nothing was then added.
   * @param start byte offset of the page in `piece`
   * @param left the key to the left of the page
   * @param right the key to the right of the page
   */
  count(tree: number, start: number, page: number, left: Separator | null, right: Separator | null): boolean {
    invariant(this.#core.user === this, 'the compiled core has another user by now')
    const flat = this.#trees[tree] ?? 0
    const leftAt = left === null ? 0 : this.#addressOf(left.interior)
    const rightAt = right === null ? 0 : this.#addressOf(right.interior)
    // Page 1 is laid out differently: it begins with the header of the file.
    if (page === 1 || left?.interior.page === 1 || right?.interior.page === 1) return false
    // The two interior pages share one slot, so only one of them is there.
    if (leftAt === rightAt && left?.interior !== right?.interior) return false
    const { functions } = this.#core
    const at = this.piece.byteOffset + start
    const leftCell = left?.cell ?? 0
    const rightCell = right?.cell ?? 0
    const { pagesLeft } = this.#payloads
    try {
      const overflowPages =
        this.#plan.trees[tree]?.kind === 'rowid-table'
          ? functions.countRowPage(at, flat, leftAt, leftCell, rightAt, rightCell, pagesLeft)
          : functions.countEntryPage(at, flat, leftAt, leftCell, rightAt, rightCell, pagesLeft)
      if (overflowPages < 0) return false
      this.#payloads.pagesLeft = pagesLeft - overflowPages
    } catch (error) {
      // The core is meant to read within its memory only. If it does not, it stops before it has added anything.
      if (isTrap(error)) return false
      throw error
    }
    this.#counted.add(tree)
    return true
  }

  /** Moves all counts and sums into a tally. */
  moveInto(tally: CensusTally): void {
    for (const tree of this.#counted) {
      const at = (tree * treeCountBytes) / 4
      tally.entries[tree] = (tally.entries[tree] ?? 0) + (this.#entries[at] ?? 0)
      tally.digests[2 * tree] = ((tally.digests[2 * tree] ?? 0) + (this.#entries[at + 1] ?? 0)) | 0
      tally.digests[2 * tree + 1] = ((tally.digests[2 * tree + 1] ?? 0) + (this.#entries[at + 2] ?? 0)) | 0
      tally.bytes[tree] = (tally.bytes[tree] ?? 0) + (this.#bytes[at / 2 + 2] ?? 0)
      this.#entries.fill(0, at, at + treeCountBytes / 4)
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

  /** Puts an interior page into the memory, and returns its address. */
  #addressOf(interior: InteriorPage): number {
    const slot = interior.page % this.#interiors.length
    const at = slot * this.#plan.pageSize
    if (this.#interiors[slot] !== interior) {
      this.#interiorBytes.set(interior.bytes, at)
      this.#interiors[slot] = interior
    }
    return this.#interiorBytes.byteOffset + at
  }
}

/** Addresses and sizes in the memory of the core, in bytes. */
interface MemoryLayout {
  readonly sumsAt: number
  readonly flat: FlatPlan
  readonly flatAt: number
  readonly columnsAt: number
  readonly columnsEach: number
  readonly entriesAt: number
  readonly contentsAt: number
  readonly wordsAt: number
  readonly wordBytes: number
  readonly payloadsAt: number
  /** Number of interior pages. */
  readonly interiors: number
  readonly interiorsAt: number
  readonly pieceAt: number
  readonly pieceBytes: number
  /** All bytes together. */
  readonly bytes: number
}

function layMemoryOut(plan: CensusPlan): MemoryLayout {
  const { pageSize, buckets, trees } = plan
  const sumsAt = countedAt + trees.length * treeCountBytes
  const flatAt = sumsAt + trees.length * buckets * 12
  const flat = flatten(plan, flatAt, countedAt, sumsAt)
  let next = flatAt + 4 * flat.words.length
  const reserve = (bytes: number): number => {
    const at = Math.ceil(next / 64) * 64
    next = at + bytes
    return at
  }
  const columnsEach = columnBytes * (flat.columnsMax + 1)
  const columnsAt = reserve(3 * columnsEach)
  const entriesAt = reserve(listedMax * listedBytes)
  const contentsAt = reserve(listedMax * listedBytes)
  const wordBytes = Math.max(1 << 19, 16 * pageSize)
  const wordsAt = reserve(wordBytes)
  const payloadsAt = reserve(2 * payloadBytesMax)
  const interiors = Math.max(2, Math.floor(interiorBytes / pageSize))
  const interiorsAt = reserve(interiors * pageSize)
  const pieceBytes = pieceBytesOf(pageSize)
  const pieceAt = reserve(pieceBytes)
  // The core loads whole words, of which only the first bytes may belong to a value.
  reserve(64)
  return {
    sumsAt,
    flat,
    flatAt,
    columnsAt,
    columnsEach,
    entriesAt,
    contentsAt,
    wordsAt,
    wordBytes,
    payloadsAt,
    interiors,
    interiorsAt,
    pieceAt,
    pieceBytes,
    bytes: next,
  }
}

function beginPlan(
  functions: CoreFunctions,
  { pageSize, usable, encoding, buckets, pages }: CensusPlan,
  key: readonly [number, number],
  { columnsAt, columnsEach, wordsAt, wordBytes, payloadsAt, entriesAt, contentsAt }: MemoryLayout,
): void {
  functions.beginPlan(
    pageSize,
    usable,
    localBytesMax(usable, 'table'),
    localBytesMax(usable, 'index'),
    localBytesMin(usable),
    encoding,
    buckets,
    columnsAt,
    columnsEach,
    wordsAt,
    wordsAt + wordBytes,
    payloadsAt,
    Math.min(payloadBytesMax, pages * usable),
  )
  functions.beginFingerprints(key[0], key[1], entriesAt, contentsAt, listedMax, lanesAt)
}
