/** Child side: puts payloads together that reach into overflow pages, and tells which chains share pages. */
import { isZero } from '../../../../sqlite/bytes.ts'
import { overflowPagesOf } from '../../../../sqlite/cell.ts'
import { nextOf, type DamagedFile } from './damaged-file.ts'

/** A chain that a cell names. */
interface Chain {
  readonly first: number
  readonly payloadBytes: number
  readonly localBytes: number
}

/**
 * `shared`: another chain uses one of its pages as well. `free`: the free list has all of its pages. `zeroed`: a page has
 * nothing but zeros, and the value before it does not end with zeros: the page was probably lost.
 */
export type ChainState = 'whole' | 'broken' | 'shared' | 'free' | 'zeroed'

export class OverflowChains {
  readonly #file: DamagedFile
  readonly #page: Uint8Array
  /** Pages that may still be read: a hostile file may lead every cell into the same long chain. */
  #pagesLeft: number

  constructor(file: DamagedFile) {
    this.#file = file
    this.#page = new Uint8Array(file.layout.pageSize)
    this.#pagesLeft = 16 * file.pages + 1000
  }

  /** Counts a use of the pages of a chain, if it has all that it needs. */
  count(chain: Chain): void {
    const walked = this.#walk(chain)
    if (walked === null) return
    for (const page of walked.pages) this.#file.useByChain(page, walked.ends)
  }

  /** Only after all chains were counted. @param before the last byte of the value that lies in its own page */
  stateOf(chain: Chain, before: number): ChainState {
    const walked = this.#walk(chain)
    if (walked === null) return 'broken'
    const file = this.#file
    // Of two chains that share a page, one that ends where it must is right against one that does not.
    const isShared = walked.pages.some((page) =>
      walked.ends ? file.endedChainsOf(page) > 1 : file.endedChainsOf(page) > 0 || file.chainsOf(page) > 1,
    )
    if (isShared) return 'shared'
    if (walked.pages.every((page) => file.isFree(page))) return 'free'
    return this.#hasZeroedPage(walked.pages, before) ? 'zeroed' : 'whole'
  }

  /** Zeros that begin exactly with a page, in a value that has other bytes before them. */
  #hasZeroedPage(pages: readonly number[], first: number): boolean {
    let before = first
    for (const page of pages) {
      const bytes = this.#file.read(page, this.#page)
      if (bytes === null) return false
      if (before !== 0 && isZero(bytes)) return true
      before = bytes[this.#file.layout.usable - 1] ?? 0
    }
    return false
  }

  /** Null if the chain is broken. @param local offset of the local bytes in `page` */
  gather(page: Uint8Array, local: number, chain: Chain): Uint8Array | null {
    const { payloadBytes, localBytes } = chain
    if (payloadBytes > this.#file.pages * this.#file.layout.usable) return null
    const whole = new Uint8Array(payloadBytes)
    whole.set(page.subarray(local, local + localBytes))
    let filled = localBytes
    let next = chain.first
    while (filled < payloadBytes) {
      const bytes = next === 0 || --this.#pagesLeft < 0 ? null : this.#file.read(next, this.#page)
      if (bytes === null) return null
      const piece = Math.min(this.#file.layout.usable - 4, payloadBytes - filled)
      whole.set(bytes.subarray(4, 4 + piece), filled)
      filled += piece
      next = nextOf(bytes)
    }
    return whole
  }

  /** Null if it has not as many pages as it needs, or one that is used otherwise. */
  #walk({
    first,
    payloadBytes,
    localBytes,
  }: Chain): { readonly pages: readonly number[]; readonly ends: boolean } | null {
    const needed = overflowPagesOf(payloadBytes, localBytes, this.#file.layout.usable)
    if (needed > this.#file.pages) return null
    const seen = new Set<number>()
    let next = first
    while (seen.size < needed) {
      if (next < 2 || seen.has(next) || this.#file.isReserved(next) || (this.#file.owners[next] ?? 0) > 0) return null
      const bytes = --this.#pagesLeft < 0 ? null : this.#file.read(next, this.#page)
      if (bytes === null) return null
      seen.add(next)
      next = nextOf(bytes)
    }
    return { pages: [...seen], ends: next === 0 }
  }
}
