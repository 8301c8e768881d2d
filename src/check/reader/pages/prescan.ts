/** Child side: reads a whole file in its order, and keeps what the page accounting asks most often about each page. */
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import { PrescannedPages } from '../../../census/fast/prescan.ts'
import type { PagePrescan } from '../../../sqlite/accounting/page-source.ts'
import type { DatabaseHeader } from '../../../sqlite/header.ts'
import type { DigestedPages } from './page-digests.ts'
import type { PageFile } from './page-file.ts'

export class Prescan {
  /** Pages read so far. */
  pagesRead = 0
  readonly #file: PageFile
  readonly #pageSize: number
  readonly #prescanned: PrescannedPages
  /** Without an incomplete page at the end of the file, which the accounting reads itself. */
  readonly #pages: number
  readonly #digests: DigestedPages | null
  #next = 1

  /** @param pages of the database: what is behind its end belongs to no tree */
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
    this.#prescanned = new PrescannedPages(core, this.#pages, pageSize, pageSize - reservedBytes)
    this.#digests = digests
  }

  get prescanned(): PagePrescan {
    return this.#prescanned
  }

  /** Reads about `pagesMax` more pages. @returns true at the end of the file */
  step(pagesMax: number): boolean {
    const { piece } = this.#prescanned
    const pagesEachRead = piece.length / this.#pageSize
    for (const end = this.#next + pagesMax; this.#next < end && this.#next <= this.#pages; this.#next += pagesEachRead)
      this.#take(this.#next, Math.min(pagesEachRead, this.#pages - this.#next + 1))
    return this.#next > this.#pages
  }

  #take(first: number, count: number): void {
    const { piece } = this.#prescanned
    const unread = this.#file.readMany(first, count, piece)
    this.#prescanned.take(first, count, unread)
    this.pagesRead += count - unread.length
    if (this.#digests === null) return
    for (let i = 0; i < count; i++)
      if (!unread.includes(first + i))
        this.#digests.take(first + i, piece.subarray(i * this.#pageSize, (i + 1) * this.#pageSize))
  }
}
