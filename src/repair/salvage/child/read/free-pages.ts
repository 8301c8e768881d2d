/**
 * Child side: the pages of free lists. Such a page may still have all of its rows, because SQLite need not write a page
 * that it frees. Free lists are found by their trunks: the header may be lost.
 */
import type { DamagedFile } from './damaged-file.ts'
import { pagesOfTrunk } from './lost-trunks.ts'

/** Kinds of b-tree pages. */
const treeKinds = new Set([2, 5, 10, 13])

/** Reads each page once. @returns true for a trunk, and for a page that one names */
export function findFreePages(file: DamagedFile): (page: number) => boolean {
  const bytes = new Uint8Array(file.layout.pageSize)
  /** One bit for each page. */
  const free = new Uint8Array((file.pages >> 3) + 1)
  for (let page = 2; page <= file.pages; page++) {
    if (file.isReserved(page) || file.read(page, bytes) === null || treeKinds.has(bytes[0] ?? 0)) continue
    const named = pagesOfTrunk(bytes, page, file)
    for (const one of named === null ? [] : [page, ...named])
      if (one <= file.pages) free[one >> 3] = (free[one >> 3] ?? 0) | (1 << (one & 7))
  }
  return (page) => file.isFree(page) || ((free[page >> 3] ?? 0) & (1 << (page & 7))) !== 0
}
