/**
 * Glances at pages for the page accounting, by the compiled core: the accounting follows trees, and to read their
 * leaves one by one and to look at each cell in JavaScript took most of its time. JavaScript remains the reference:
 * test/census/fast/prescan.test.ts compares the two, page by page.
 */

import type { Glances } from '../../sqlite/accounting/page-source.ts'
import { localBytesMax } from '../../sqlite/cell.ts'
import type { CompiledCore } from './compiled-core.ts'
import { pieceBytesOf } from './fast-counter.ts'

const tableLeaf = 0xffff_fffd
const indexLeaf = 0xffff_fffe
const unknown = 0xffff_ffff

/** Bytes that glances at a file of so many pages take. */
export const prescanBytes = (pages: number): number => 4 * (pages + 1)

export class PrescannedPages implements Glances {
  /** Room for consecutive pages, which are to be glanced at before anybody else uses the core. */
  readonly piece: Uint8Array
  readonly #core: CompiledCore
  readonly #pageSize: number
  readonly #usable: number
  readonly #ofPiece: Uint32Array
  /** One word a page: a leaf, or the word that it begins with. */
  readonly #words: Uint32Array

  constructor(core: CompiledCore, pages: number, pageSize: number, usable: number) {
    const pieceBytes = pieceBytesOf(pageSize)
    // Whole words are loaded where only their first bytes belong to a page.
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
   * Glances at the first `count` pages of the piece.
   * @param first number of the first one,
   * @param unread those that hold nothing of the file
   */
  take(first: number, count: number, unread: readonly number[]): void {
    const usable = this.#usable
    this.#core.functions.glance(
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
