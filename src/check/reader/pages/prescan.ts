/** Child side: reads a whole file in its order, and keeps of each page what the page accounting asks most. */
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import { PrescannedPages } from '../../../census/fast/prescan.ts'
import type { PagePrescan } from '../../../sqlite/accounting/page-source.ts'
import type { DatabaseHeader } from '../../../sqlite/header.ts'
import type { DigestedPages } from './page-digests.ts'
import type { PageFile } from './page-file.ts'

export class Prescan {
  /** Pages that were read so far. */
  pagesRead = 0
  readonly #file: PageFile
  readonly #pageSize: number
  readonly #glanced: PrescannedPages
  /** A piece at the end of the file that is no whole page is left to be read by itself. */
  readonly #pages: number
  readonly #digests: DigestedPages | null
  #next = 1

  /** @param pages of the database: what lies behind its end is in no tree */
  constructor(
    core: CompiledCore,
    file: PageFile,
    { pageSize, reservedBytes }: DatabaseHeader,
    pages: number,
    digests: DigestedPages | null,
  ) {
    this.#file = file
    this.#pageSize = pageSize
    this.#pages = Math.min(pages, Math.floor(file.fileBytes / pageSize))
    this.#glanced = new PrescannedPages(core, this.#pages, pageSize, pageSize - reservedBytes)
    this.#digests = digests
  }

  get glances(): PagePrescan {
    return this.#glanced
  }

  /** Goes on for about so many pages. @returns whether it has come to the end */
  step(pagesMax: number): boolean {
    const { piece } = this.#glanced
    const pagesAtOnce = piece.length / this.#pageSize
    for (const end = this.#next + pagesMax; this.#next < end && this.#next <= this.#pages; this.#next += pagesAtOnce)
      this.#take(this.#next, Math.min(pagesAtOnce, this.#pages - this.#next + 1))
    return this.#next > this.#pages
  }

  #take(first: number, count: number): void {
    const { piece } = this.#glanced
    const unread = this.#file.readMany(first, count, piece)
    this.#glanced.take(first, count, unread)
    this.pagesRead += count - unread.length
    if (this.#digests === null) return
    for (let i = 0; i < count; i++)
      if (!unread.includes(first + i))
        this.#digests.take(first + i, piece.subarray(i * this.#pageSize, (i + 1) * this.#pageSize))
  }
}
