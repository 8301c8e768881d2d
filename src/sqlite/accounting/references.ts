/** What a b-tree page points to: children and overflow chains. */

import { localBytesMax, overflowPagesOf, readCell } from '../cell.ts'
import type { PageLayout } from '../page-layout.ts'
import { cellOffset, readPage } from '../page.ts'
import type { BTreePage } from '../page.ts'
import { varintBytes } from '../varint.ts'

export interface OverflowChain {
  readonly first: number
  /** How many pages the payload needs. */
  readonly pages: number
}

type References =
  | {
      readonly kind: 'references'
      readonly tree: 'table' | 'index'
      readonly leaf: boolean
      /** In key order, the right child last; empty on leaves. */
      readonly children: readonly number[]
      readonly chains: readonly OverflowChain[]
      /** Number of cells that could not be read, and what is wrong with the first of them. */
      readonly wrongCells: number
      readonly why: string
    }
  | { readonly kind: 'unreadable'; readonly why: string }

export function readReferences(bytes: Uint8Array, pageNumber: number, layout: PageLayout): References {
  const page = readPage(bytes, pageNumber, layout)
  if (page.kind === 'unreadable') return page
  const children: number[] = []
  const chains: OverflowChain[] = []
  let wrongCells = 0
  let why = ''
  const bytesMax = localBytesMax(layout.usable, page.tree)
  for (let i = 0; i < page.cellCount; i++) {
    if (page.leaf && liesInPage(bytes, cellOffset(bytes, page, i), page, layout.usable, bytesMax)) continue
    const cell = readCell(bytes, cellOffset(bytes, page, i), page, layout)
    if (cell.kind === 'wrong') {
      if (wrongCells === 0) why = `cell ${i} ${cell.why}`
      wrongCells++
      continue
    }
    if (!page.leaf) children.push(cell.leftChild)
    if (cell.localBytes < cell.payloadBytes)
      chains.push({ first: cell.overflow, pages: overflowPagesOf(cell.payloadBytes, cell.localBytes, layout.usable) })
  }
  if (!page.leaf) children.push(page.rightChild)
  return { kind: 'references', tree: page.tree, leaf: page.leaf, children, chains, wrongCells, why }
}

/**
 * True if this cell of a leaf lies in its page and points to nothing. Nearly all cells do. To make an object for each
 * took a third of the time of the accounting.
 */
function liesInPage(bytes: Uint8Array, at: number, page: BTreePage, usable: number, bytesMax: number): boolean {
  if (at < page.content || at > usable - 4) return false
  let next = at
  let payloadBytes = bytes[next++] ?? 0
  if (payloadBytes >= 0x80) {
    const second = bytes[next++] ?? 0
    if (second >= 0x80) return false
    payloadBytes = ((payloadBytes & 0x7f) << 7) | second
  }
  if (payloadBytes > bytesMax) return false
  if (page.tree === 'table') next += varintBytes(bytes, next)
  return next + payloadBytes <= usable
}
