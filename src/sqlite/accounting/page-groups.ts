/** Groups the pages of an accounting for a map. The number of groups does not grow with the file. */

import { pageStates } from '../../model/result/page-map.ts'
import type { PageGroups, PageState } from '../../model/result/page-map.ts'
import type { AccountingState } from './accounting-state.ts'
import { pagesPerGroup } from './bad-page-ranges.ts'
import { freeListOwner, marks, reservedOwner, uses } from './claims.ts'

/** Trees that are listed with their number of pages: more than any map can show. */
const treesMax = 10_000

interface Group {
  /** Pages by state, in the order of `pageStates`. */
  readonly states: number[]
  /** Pages by root page. */
  readonly trees: Map<number, number>
}

/**
 * Entries that disagree with their rows are not in these groups: the census reports them.
 * @param filePages pages of the file; those behind the end of the database belong to the map too
 */
export function groupPages(account: AccountingState, filePages: number): PageGroups {
  const size = pagesPerGroup(filePages)
  const groups: PageGroups['groups'][number][] = []
  const totals = emptyGroup()
  const damaged = new Map<number, number>()
  for (let first = 1; first <= filePages; first += size) {
    const group = countGroup(account, first, Math.min(filePages, first + size - 1), damaged)
    for (const [state, pages] of group.states.entries()) totals.states[state] = (totals.states[state] ?? 0) + pages
    for (const [root, pages] of group.trees) totals.trees.set(root, (totals.trees.get(root) ?? 0) + pages)
    groups.push(shownOf(group))
  }
  const trees = [...totals.trees]
    .map(([root, pages]) => ({ root, pages, damaged: damaged.get(root) ?? 0 }))
    .toSorted((a, b) => b.pages - a.pages || a.root - b.root)
  return {
    pageSize: account.layout.pageSize,
    pages: filePages,
    pagesPerGroup: size,
    groups,
    trees: trees.slice(0, treesMax),
    treesMore: Math.max(0, trees.length - treesMax),
    counts: Object.fromEntries(pageStates.map((state, i) => [state, totals.states[i] ?? 0])) as Record<
      PageState,
      number
    >,
    bad: account.places.pages(),
  }
}

const emptyGroup = (): Group => ({ states: pageStates.map(() => 0), trees: new Map() })

function countGroup(account: AccountingState, first: number, last: number, damaged: Map<number, number>): Group {
  const { claims } = account
  const group = emptyGroup()
  const add = (state: PageState): void => {
    const at = pageStates.indexOf(state)
    group.states[at] = (group.states[at] ?? 0) + 1
  }
  for (let page = first; page <= last; page++) {
    const owner = claims.ownerOf(page)
    const isTree = claims.useOf(page) !== uses.none && owner !== freeListOwner && owner !== reservedOwner
    if (isTree) group.trees.set(owner, (group.trees.get(owner) ?? 0) + 1)
    add(
      page > claims.pageCount
        ? 'behind'
        : isTree
          ? 'owned'
          : owner === freeListOwner
            ? 'free'
            : owner === reservedOwner
              ? 'reserved'
              : 'unowned',
    )
    if (claims.isMarked(page, marks.damaged)) {
      add('damaged')
      if (isTree) damaged.set(owner, (damaged.get(owner) ?? 0) + 1)
    }
    if (claims.isMarked(page, marks.unread)) add('unread')
  }
  return group
}

/** The worst state of its pages, else the state of most of them. */
function shownOf({ states, trees }: Group): PageGroups['groups'][number] {
  const pagesOf = (state: PageState): number => states[pageStates.indexOf(state)] ?? 0
  const bad = (['damaged', 'unread', 'unowned'] as const).find((state) => pagesOf(state) > 0)
  const state = bad ?? most(['owned', 'free', 'reserved', 'behind'] as const, pagesOf)
  return { state, root: trees.size === 0 ? 0 : most([...trees.keys()], (root) => trees.get(root) ?? 0) }
}

/** The first item with the most pages. */
const most = <Item>(items: readonly Item[], pagesOf: (item: Item) => number): Item =>
  items.reduce((best, item) => (pagesOf(item) > pagesOf(best) ? item : best))
