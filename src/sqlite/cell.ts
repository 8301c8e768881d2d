/**
 * Cells of b-tree pages: how much of a payload lies in the page, and where the rest begins
 * (sqlite.org/fileformat2.html, sections 1.6 and 1.7).
 */

import { read32 } from './bytes.ts'
import type { PageLayout } from './page-layout.ts'
import type { BTreePage } from './page.ts'
import { varintBytes, varintNumber } from './varint.ts'

export type CellParseResult =
  | {
      readonly kind: 'cell'
      /** 0 on leaves. */
      readonly leftChild: number
      /** Bytes; 0 on interior pages of tables. */
      readonly payloadBytes: number
      /** Bytes of the payload that lie in the page. */
      readonly localBytes: number
      /** Byte offset of the payload within the page. */
      readonly payload: number
      /** First page of the overflow chain; 0 if there is none. */
      readonly overflow: number
    }
  | { readonly kind: 'wrong'; readonly why: string }

/** Most bytes of a payload that stay in the page. */
export const localBytesMax = (usable: number, tree: 'table' | 'index'): number =>
  tree === 'table' ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23

/** Fewest bytes of a longer payload that stay in the page. */
export const localBytesMin = (usable: number): number => Math.floor(((usable - 12) * 32) / 255) - 23

/** How many bytes of a payload lie in the page itself. */
export function localBytesOf(payloadBytes: number, usable: number, tree: 'table' | 'index'): number {
  const max = localBytesMax(usable, tree)
  if (payloadBytes <= max) return payloadBytes
  const min = localBytesMin(usable)
  const surplus = min + ((payloadBytes - min) % (usable - 4))
  return surplus <= max ? surplus : min
}

/** How many overflow pages a payload needs. */
export const overflowPagesOf = (payloadBytes: number, localBytes: number, usable: number): number =>
  Math.ceil((payloadBytes - localBytes) / (usable - 4))

/** Reads the cell at byte `at` of a page. Reads nothing behind the usable end. */
export function readCell(bytes: Uint8Array, at: number, page: BTreePage, layout: PageLayout): CellParseResult {
  if (at < page.content || at > layout.usable - 4)
    return { kind: 'wrong', why: `begins at byte ${at}, outside of the cell content area` }
  let next = at
  let leftChild = 0
  if (!page.leaf) {
    leftChild = read32(bytes, at)
    next += 4
    if (page.tree === 'table') {
      const end = next + varintBytes(bytes, next)
      return end > layout.usable
        ? { kind: 'wrong', why: 'reaches behind the end of the page' }
        : { kind: 'cell', leftChild, payloadBytes: 0, localBytes: 0, payload: end, overflow: 0 }
    }
  }
  const payloadBytes = varintNumber(bytes, next)
  next += varintBytes(bytes, next)
  if (page.tree === 'table') next += varintBytes(bytes, next)
  const localBytes = localBytesOf(payloadBytes, layout.usable, page.tree)
  const overflows = localBytes < payloadBytes
  if (next + localBytes + (overflows ? 4 : 0) > layout.usable)
    return { kind: 'wrong', why: 'reaches behind the end of the page' }
  return {
    kind: 'cell',
    leftChild,
    payloadBytes,
    localBytes,
    payload: next,
    overflow: overflows ? read32(bytes, next + localBytes) : 0,
  }
}
