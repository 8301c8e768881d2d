/**
 * Trunk pages of the free list (sqlite.org/fileformat2.html, section 1.5). A trunk has the number of the next trunk,
 * the number of its leaves, and its leaves.
 */

import { read32 } from './bytes.ts'

type Trunk =
  | { readonly kind: 'trunk'; readonly next: number; readonly leaves: readonly number[] }
  /** Says that it has more leaves than a page has room for: none of them can be trusted. */
  | { readonly kind: 'wrong'; readonly next: number; readonly why: string }

/** @param usable bytes of the page less the reserved ones */
export function readTrunk(page: Uint8Array, usable: number): Trunk {
  const next = read32(page, 0)
  const count = read32(page, 4)
  const countMax = Math.floor(usable / 4) - 2
  if (count > countMax)
    return { kind: 'wrong', next, why: `says that it has ${count} leaves, but has room for ${countMax}` }
  const leaves: number[] = []
  for (let i = 0; i < count; i++) leaves.push(read32(page, 8 + 4 * i))
  return { kind: 'trunk', next, leaves }
}
