/** Child side: the pages of the damaged file, and who uses them. */
import { PageFile } from '../../../../check/reader/pages/page-file.ts'
import { read32 } from '../../../../sqlite/bytes.ts'
import { readTrunk } from '../../../../sqlite/freelist.ts'
import type { DatabaseHeader } from '../../../../sqlite/header.ts'
import { isPointerMapPage, lockBytePage, type PageLayout } from '../../../../sqlite/page-layout.ts'

/** Bytes of memory for each page of the file. */
const bytesEachPage = 6

export const ownersBytesOf = (pages: number): number => bytesEachPage * (pages + 1)

export class DamagedFile implements Disposable {
  readonly header: DatabaseHeader
  readonly layout: PageLayout
  /** Pages of the file, an incomplete last one included: the count in the header may be what is damaged. */
  readonly pages: number
  /** Tree of each page: its id plus 1; 0 for none. */
  readonly owners: Uint32Array
  /** False if the file is shorter than its header says, or the header does not say it: leaves may have been cut off. */
  readonly hasItsEnd: boolean
  /** Of texts, as in the header: 1 to 3. What the texts of the schema show counts more. */
  encoding: number
  /** Pages that the disk could not read. */
  unread = 0
  /** True if the free list could be read to its end, has as many pages as the header says, and shares none. */
  freeListIsWhole = false
  readonly #free: Uint8Array
  readonly #chains: Uint8Array
  readonly #file: PageFile

  constructor(path: string, header: DatabaseHeader) {
    this.header = header
    this.encoding = header.textEncoding
    this.layout = {
      pageSize: header.pageSize,
      usable: header.pageSize - header.reservedBytes,
      autoVacuum: header.largestRoot > 0,
    }
    this.#file = new PageFile(path, header.pageSize)
    this.pages = Math.ceil(this.#file.fileBytes / header.pageSize)
    this.hasItsEnd = header.pageCountValid && header.pageCount * header.pageSize <= this.#file.fileBytes
    this.owners = new Uint32Array(this.pages + 1)
    this.#free = new Uint8Array(this.pages + 1)
    this.#chains = new Uint8Array(this.pages + 1)
    this.#readFreeList()
  }

  /** The page in `into`, or in new bytes. Null if the disk cannot read it, or the file ends before it. */
  read(page: number, into: Uint8Array = new Uint8Array(this.layout.pageSize)): Uint8Array | null {
    if (page < 1 || page > this.pages) return null
    const got = this.#file.read(page, into)
    if (got === 'unread') {
      this.unread++
      return null
    }
    into.fill(0, got)
    return into
  }

  isFree(page: number): boolean {
    return this.#free[page] === 1
  }

  /** True for a page that no tree, chain or list uses. */
  isUnowned(page: number): boolean {
    return this.owners[page] === 0 && this.#free[page] === 0 && this.chainsOf(page) === 0 && !this.isReserved(page)
  }

  isReserved(page: number): boolean {
    return page === lockBytePage(this.layout) || isPointerMapPage(this.layout, page)
  }

  /** How many overflow chains use the page: 0, 1, or 2 for more. */
  chainsOf(page: number): number {
    const uses = this.#chains[page] ?? 0
    return Math.min(2, (uses & 3) + (uses >> 2))
  }

  /** How many chains that end where they must use the page. */
  endedChainsOf(page: number): number {
    return (this.#chains[page] ?? 0) & 3
  }

  useByChain(page: number, ends: boolean): void {
    const uses = this.#chains[page] ?? 0
    const low = uses & 3
    const high = uses >> 2
    this.#chains[page] = ends ? Math.min(2, low + 1) | (high << 2) : low | (Math.min(2, high + 1) << 2)
  }

  forgetUses(): void {
    this.owners.fill(0)
    this.#chains.fill(0)
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }

  /** Marks what the free list names. It may be damaged: a tree that uses such a page counts more. */
  #readFreeList(): void {
    let counted = 0
    let trunk = this.header.freelistTrunk
    while (trunk !== 0) {
      const bytes = this.#isPossible(trunk) ? this.read(trunk) : null
      if (bytes === null) return
      this.#free[trunk] = 1
      counted++
      const reading = readTrunk(bytes, this.layout.usable)
      if (reading.kind === 'wrong') return
      for (const leaf of reading.leaves) {
        if (!this.#isPossible(leaf)) return
        this.#free[leaf] = 1
        counted++
      }
      trunk = reading.next
    }
    this.freeListIsWhole = counted === this.header.freelistCount
  }

  #isPossible(page: number): boolean {
    return page > 1 && page <= this.pages && this.#free[page] === 0
  }
}

/** The next page of an overflow chain. */
export const nextOf = (page: Uint8Array): number => read32(page, 0)
