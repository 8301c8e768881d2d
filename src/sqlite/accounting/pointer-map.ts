/**
 * Entries of pointer-map pages: what a page is used for, and which page points to it (sqlite.org/fileformat2.html,
 * section 1.8).
 */

import { read32 } from '../bytes.ts'

export const pointerMapTypes = { root: 1, free: 2, firstOverflow: 3, laterOverflow: 4, bTree: 5 } as const

interface PointerMapEntry {
  readonly type: number
  readonly parent: number
}

export const readPointerMapEntry = (page: Uint8Array, at: number): PointerMapEntry => ({
  type: page[at] ?? 0,
  parent: read32(page, at + 1),
})
