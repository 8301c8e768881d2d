/** Child side: counts pages for the census (census/scan/scan.ts). */
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import type { CensusPlan } from '../../../census/plan.ts'
import { ownersBytes, walkOwners } from '../../../census/scan/page-owners.ts'
import type { PageOwners } from '../../../census/scan/page-owners.ts'
import { everything, Scanner } from '../../../census/scan/scan.ts'
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

  /** Found on first use, which takes time. A process that only adds tallies that agree never needs them. */
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
    const pagesEachRead = this.#pagesEachRead(scanner)
    for (let page = first; page <= last; page += pagesEachRead)
      this.#scan(scanner, page, Math.min(pagesEachRead, last - page + 1))
  }

  /** Scans the needed pages of the whole file again, with another scanner. */
  scanWith(scanner: Scanner, needs: (page: number) => boolean): void {
    const pagesEachRead = this.#pagesEachRead(scanner)
    for (let page = 1; page <= this.plan.pages; page++) {
      if (!needs(page)) continue
      let count = 1
      while (count < pagesEachRead && page + count <= this.plan.pages && needs(page + count)) count++
      this.#scan(scanner, page, count)
      page += count - 1
    }
  }

  add(tallies: readonly CensusTally[]): void {
    for (const tally of tallies) mergeTallies(this.tally, tally)
  }

  #pagesEachRead(scanner: Scanner): number {
    return scanner.piece.length / this.plan.pageSize
  }

  #scan(scanner: Scanner, first: number, count: number): void {
    const { pageSize } = this.plan
    const bytes = this.file.inMemory(first, count)
    if (bytes !== null) return scanner.scan(bytes, first)
    const { piece } = scanner
    for (const page of this.file.readMany(first, count, piece)) {
      const tree = (this.owners.trees[page] ?? 0) - 1
      if (tree >= 0) this.tally.unread.set(tree, `page ${page} could not be read from the disk`)
    }
    scanner.scan(piece.subarray(0, count * pageSize), first)
  }
}

/** Bytes of memory for the owners, the sums of a plan (which exist twice), and the compiled core's pages. */
export const counterBytes = (plan: CensusPlan): number =>
  ownersBytes(plan.pages) + plan.trees.length * 26_000 + 4_000_000
