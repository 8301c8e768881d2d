import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import type { CensusPlan } from '../../../census/plan.ts'
import { ownersBytes, walkOwners } from '../../../census/scan/page-owners.ts'
import type { PageOwners } from '../../../census/scan/page-owners.ts'
import { everything, Scanner } from '../../../census/scan/scan.ts'
/** Child side: counts pages for the census (census/scan/scan). */
import { emptyTally, mergeTallies } from '../../../census/scan/tally.ts'
import type { CensusTally } from '../../../census/scan/tally.ts'
import type { PageFile } from './page-file.ts'

export class PageCounter {
  readonly plan: CensusPlan
  readonly file: PageFile
  readonly tally: CensusTally
  readonly #core: CompiledCore | null
  #owners: PageOwners | null = null
  #scanner: Scanner | null = null

  constructor(file: PageFile, plan: CensusPlan, key: readonly [number, number], core: CompiledCore | null) {
    this.plan = plan
    this.file = file
    this.tally = emptyTally(plan, key)
    this.#core = core
  }

  /**
   * Walked for when they are first asked for: who only adds up tallies that agree never does, and everybody else waits
   * for it.
   */
  get owners(): PageOwners {
    this.#owners ??= walkOwners(this.plan, this.file)
    return this.#owners
  }

  /** Counts the pages from `first` to `last`. */
  scan(first: number, last: number): void {
    const scanner = (this.#scanner ??= new Scanner(
      this.plan,
      this.owners,
      this.file,
      this.tally,
      everything(this.#core),
    ))
    const pagesAtOnce = this.#pagesAtOnce(scanner)
    for (let page = first; page <= last; page += pagesAtOnce)
      this.#scan(scanner, page, Math.min(pagesAtOnce, last - page + 1))
  }

  /** Goes over the needed pages of the whole file once more, with another scanner. */
  scanWith(scanner: Scanner, needs: (page: number) => boolean): void {
    const pagesAtOnce = this.#pagesAtOnce(scanner)
    for (let page = 1; page <= this.plan.pages; page++) {
      if (!needs(page)) continue
      let count = 1
      while (count < pagesAtOnce && page + count <= this.plan.pages && needs(page + count)) count++
      this.#scan(scanner, page, count)
      page += count - 1
    }
  }

  add(tallies: readonly CensusTally[]): void {
    for (const tally of tallies) mergeTallies(this.tally, tally)
  }

  #pagesAtOnce(scanner: Scanner): number {
    return scanner.piece.length / this.plan.pageSize
  }

  #scan(scanner: Scanner, first: number, count: number): void {
    const { pageSize } = this.plan
    const bytes = this.file.atHand(first, count)
    if (bytes !== null) return scanner.scan(bytes, first)
    const { piece } = scanner
    for (const page of this.file.readMany(first, count, piece)) {
      const tree = (this.owners.trees[page] ?? 0) - 1
      if (tree >= 0) this.tally.unread.set(tree, `page ${page} could not be read from the disk`)
    }
    scanner.scan(piece.subarray(0, count * pageSize), first)
  }
}

/**
 * Bytes that the owners and the sums of a plan take, the latter in two places, and the compiled core's room for pages.
 */
export const countingBytes = (plan: CensusPlan): number =>
  ownersBytes(plan.pages) + plan.trees.length * 26_000 + 4_000_000
