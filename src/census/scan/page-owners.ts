/**
 * Finds the tree of each page. Walks the interior pages of every tree of a plan, about one page in a hundred
 * (sqlite.org/fileformat2.html, section 1.6).
 *
 * If two trees claim a page, the first one owns it. The page accounting, which reads every page, reports that.
 */

import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import { read32 } from '../../sqlite/bytes.ts'
import { cellOffset, readPage } from '../../sqlite/page.ts'
import { layoutOf } from '../page-layout.ts'
import type { CensusPlan } from '../plan.ts'

/** Plain data, so that it can be sent to workers in other processes. */
export interface PageOwners {
  /** For each page: the position of its tree in the plan plus 1; 0 for overflow, free and reserved pages. */
  readonly trees: Uint32Array
  /** For each page: its parent page; 0 for roots. */
  readonly parents: Uint32Array
  /** For each page: its cell in the parent page; for the right child, the number of cells of the parent. */
  readonly childIndexes: Uint16Array
}

/** Bytes of memory that the owners of so many pages take. */
export const ownersBytes = (pages: number): number => 10 * (pages + 1)

/** SQLite refuses deeper trees (BTCURSOR_MAX_DEPTH). */
const depthMax = 20

export function walkOwners(plan: CensusPlan, source: PageSource): PageOwners {
  const owners: PageOwners = {
    trees: new Uint32Array(plan.pages + 1),
    parents: new Uint32Array(plan.pages + 1),
    childIndexes: new Uint16Array(plan.pages + 1),
  }
  const bytes = new Uint8Array(plan.pageSize)
  plan.trees.forEach((tree, i) => walkLevels(plan, owners, i + 1, tree.root, source, bytes))
  return owners
}

/** Leaves that must be read before the level counts as leaves. One is not enough: a page may be damaged. */
const probesMax = 3

/** Walks a tree level by level. Reads no leaves, except a few that show that their level consists of leaves. */
function walkLevels(
  plan: CensusPlan,
  owners: PageOwners,
  tree: number,
  root: number,
  source: PageSource,
  bytes: Uint8Array,
): void {
  let level = claim(owners, tree, [root], 0)
  for (let depth = 0; depth < depthMax && level.length > 0; depth++) {
    const next: number[] = []
    let leaves = 0
    for (const page of level) {
      const children = childrenOf(plan, page, source, bytes)
      if (
        children !== null &&
        children.length === 0 &&
        ++leaves >= Math.min(probesMax, level.length) &&
        next.length === 0
      )
        return
      for (const child of claim(owners, tree, children ?? [], page)) next.push(child)
    }
    level = next
  }
}

function claim(owners: PageOwners, tree: number, pages: readonly number[], parent: number): number[] {
  const { trees, parents, childIndexes } = owners
  const granted: number[] = []
  for (let index = 0; index < pages.length; index++) {
    const page = pages[index] ?? 0
    if (page < 1 || page >= trees.length) continue
    if (trees[page] === 0) {
      trees[page] = tree
      parents[page] = parent
      granted.push(page)
    } else if (parents[page] !== parent || parent === 0) continue
    childIndexes[page] = index
  }
  return granted
}

/** The children of an interior page by cell, 0 for an invalid cell. Empty for a leaf. null if it cannot be read. */
function childrenOf(plan: CensusPlan, page: number, source: PageSource, bytes: Uint8Array): readonly number[] | null {
  const got = source.read(page, bytes)
  if (got === 'unread') return null
  bytes.fill(0, got)
  const reading = readPage(bytes, page, layoutOf(plan))
  if (reading.kind === 'unreadable') return null
  if (reading.leaf) return []
  const children: number[] = []
  for (let i = 0; i < reading.cellCount; i++) {
    const at = cellOffset(bytes, reading, i)
    children.push(at >= reading.content && at <= plan.usable - 4 ? read32(bytes, at) : 0)
  }
  children.push(reading.rightChild)
  return children
}

/** Pages from the root to `page`. Their number is bounded, even if the parents of a damaged file form a circle. */
export function trailTo(owners: PageOwners, page: number): readonly number[] {
  const trail = [page]
  for (
    let above = owners.parents[page] ?? 0;
    above !== 0 && trail.length < depthMax;
    above = owners.parents[above] ?? 0
  )
    trail.unshift(above)
  return trail
}
