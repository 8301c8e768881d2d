/**
 * Reads whole pages in the order of the file for the page accounting, with the compiled core. The accounting itself
 * follows the trees; most of its time went into reading their leaves one by one and checking each cell in JavaScript.
 * JavaScript stays the reference: test/census/fast/prescan.test.ts compares the two page by page.
 */

import type { PagePrescan } from '../../sqlite/accounting/page-source.ts'
import { localBytesMax } from '../../sqlite/cell.ts'
import type { CompiledCore } from './compiled-core.ts'
import { pieceBytesOf } from './fast-counter.ts'

const tableLeaf = 0xffff_fffd
const indexLeaf = 0xffff_fffe
const unknown = 0xffff_ffff

/** Bytes of memory that the prescan of a file with so many pages takes. */
export const prescanBytes = (pages: number): number => 4 * (pages + 1)

export class PrescannedPages implements PagePrescan {
  /** Memory for consecutive pages. `take` must come before anything else uses the core. */
  readonly piece: Uint8Array
  readonly #core: CompiledCore
  readonly #pageSize: number
  readonly #usable: number
  readonly #ofPiece: Uint32Array
  /** One word a page: that it is such a leaf, or its first word. */
  readonly #words: Uint32Array

  constructor(core: CompiledCore, pages: number, pageSize: number, usable: number) {
    const pieceBytes = pieceBytesOf(pageSize)
    // The core loads whole words, of which only the first bytes may belong to a page.
    const wordsAt = pieceBytes + 64
    const wordCount = pieceBytes / pageSize
    const memory = core.memoryFor(this, wordsAt + 4 * wordCount)
    this.piece = new Uint8Array(memory, 0, pieceBytes)
    this.#core = core
    this.#pageSize = pageSize
    this.#usable = usable
    this.#ofPiece = new Uint32Array(memory, wordsAt, wordCount)
    this.#words = new Uint32Array(pages + 1).fill(unknown)
  }

  /**
   * Prescans the first `count` pages of the piece.
   * @param first number of the first page
   * @param unread numbers of pages that could not be read: nothing is known of them
   */
  take(first: number, count: number, unread: readonly number[]): void {
    const usable = this.#usable
    this.#core.functions.prescan(
      this.piece.byteOffset,
      count,
      this.#pageSize,
      usable,
      localBytesMax(usable, 'table'),
      localBytesMax(usable, 'index'),
      this.#ofPiece.byteOffset,
    )
    this.#words.set(this.#ofPiece.subarray(0, count), first)
    for (const page of unread) this.#words[page] = unknown
  }

  leafOf(page: number): 'table' | 'index' | null {
    const word = this.#words[page]
    return word === tableLeaf ? 'table' : word === indexLeaf ? 'index' : null
  }

  firstWordOf(page: number): number | null {
    const word = this.#words[page] ?? unknown
    return word < tableLeaf ? word : null
  }
}
