/**
 * The keys between which a page must lie. They are the cells to its left and to its right in the interior pages above
 * it (sqlite.org/fileformat2.html, section 1.6). Interior pages are few, so they are cached.
 */

import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import { readPage } from '../../sqlite/page.ts'
import type { BTreePage } from '../../sqlite/page.ts'
import { layoutOf } from '../page-layout.ts'
import type { CensusPlan } from '../plan.ts'
import type { PageOwners } from './page-owners.ts'

/** Bytes of interior pages in the cache. */
const cacheBytesMax = 8 << 20
const depthMax = 20

export interface InteriorPage {
  readonly page: number
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly bTree: BTreePage
}

/** A cell of an interior page. */
export interface Separator {
  readonly interior: InteriorPage
  readonly cell: number
}

export class Separators {
  readonly #plan: CensusPlan
  readonly #owners: PageOwners
  readonly #source: PageSource
  readonly #cache: (InteriorPage | null)[]

  constructor(plan: CensusPlan, owners: PageOwners, source: PageSource) {
    this.#plan = plan
    this.#owners = owners
    this.#source = source
    // Not more slots than pages: to make 16,000 of them took longer than to count a small file.
    this.#cache = Array.from<InteriorPage | null>({
      length: Math.max(16, Math.min(plan.pages + 1, Math.floor(cacheBytesMax / plan.pageSize))),
    }).fill(null)
  }

  /**
   * The cell that all keys of `page` come after (`left`) or before (`right`). null if the page is the first or the last
   * of its tree, or if a page above it cannot be read.
   */
  of(page: number, side: 'left' | 'right'): Separator | null {
    let child = page
    for (let depth = 0; depth < depthMax; depth++) {
      const parent = this.#owners.parents[child] ?? 0
      if (parent === 0) return null
      const interior = this.#interior(parent)
      if (interior === null) return null
      const index = this.#owners.childIndexes[child] ?? 0
      if (side === 'left' && index > 0) return { interior, cell: index - 1 }
      if (side === 'right' && index < interior.bTree.cellCount) return { interior, cell: index }
      child = parent
    }
    return null
  }

  #interior(page: number): InteriorPage | null {
    const slot = page % this.#cache.length
    const cached = this.#cache[slot]
    if (cached?.page === page) return cached
    const bytes = new Uint8Array(this.#plan.pageSize)
    const got = this.#source.read(page, bytes)
    if (got === 'unread') return null
    const bTree = readPage(bytes, page, layoutOf(this.#plan))
    if (bTree.kind === 'unreadable' || bTree.leaf) return null
    const interior = { page, bytes, view: new DataView(bytes.buffer), bTree }
    this.#cache[slot] = interior
    return interior
  }
}
