/**
 * Header and cell pointers of a b-tree page (sqlite.org/fileformat2.html, section 1.6). Offsets of its fields:
 *
 * 0 type
 * 1 first freeblock
 * 3 number of cells
 * 5 start of the cell content area; 0 means 65536
 * 7 fragmented bytes
 * 8 right child, on interior pages only
 *
 * On page 1 the b-tree header follows the 100 bytes of the database header.
 */

import { read16, read32 } from './bytes.ts'
import type { PageLayout } from './page-layout.ts'

const pageTypes = { indexInterior: 2, tableInterior: 5, indexLeaf: 10, tableLeaf: 13 } as const

export interface BTreePage {
  readonly kind: 'b-tree'
  readonly tree: 'table' | 'index'
  readonly leaf: boolean
  readonly cellCount: number
  /** Byte offset of the first cell pointer. */
  readonly pointers: number
  /** Byte offset of the cell content area. */
  readonly content: number
  /** 0 on leaves. */
  readonly rightChild: number
}

type PageParseResult = BTreePage | { readonly kind: 'unreadable'; readonly why: string }

/** Byte offset of the b-tree header: 100 on page 1. */
export const headerOffset = (page: number): number => (page === 1 ? 100 : 0)

export function readPage(bytes: Uint8Array, page: number, layout: PageLayout): PageParseResult {
  const at = headerOffset(page)
  const type = bytes[at] ?? 0
  if (type !== 2 && type !== 5 && type !== 10 && type !== 13)
    return { kind: 'unreadable', why: `has the unknown page type ${type}` }
  const leaf = type === pageTypes.indexLeaf || type === pageTypes.tableLeaf
  const cellCount = read16(bytes, at + 3)
  const pointers = at + (leaf ? 8 : 12)
  const content = read16(bytes, at + 5) || 65_536
  if (cellCount > Math.floor((layout.pageSize - 8) / 6))
    return { kind: 'unreadable', why: `says that it has ${cellCount} cells, which no page has room for` }
  if (content > layout.usable)
    return { kind: 'unreadable', why: `says that its cells begin at byte ${content}, behind its end` }
  if (pointers + 2 * cellCount > content)
    return { kind: 'unreadable', why: `has cell pointers that reach into its cells` }
  return {
    kind: 'b-tree',
    leaf,
    cellCount,
    pointers,
    content,
    tree: type === pageTypes.tableInterior || type === pageTypes.tableLeaf ? 'table' : 'index',
    rightChild: leaf ? 0 : read32(bytes, at + 8),
  }
}

/** Byte offset of cell `i`, as its pointer says. A valid one lies from `content` to 4 bytes before the usable end. */
export const cellOffset = (bytes: Uint8Array, page: BTreePage, i: number): number =>
  read16(bytes, page.pointers + 2 * i)
