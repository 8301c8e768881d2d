/**
 * Walks one b-tree: claims its pages and those of its overflow chains, and reports what is wrong
 * (sqlite.org/fileformat2.html, section 1.6).
 */

import type { FoundObject } from '../../model/result/finding.ts'
import { count } from '../../text/count.ts'
import { isPointerMapPage } from '../page-layout.ts'
import { nameOfObject } from './accounting-state.ts'
import type { AccountingState } from './accounting-state.ts'
import { uses } from './claims.ts'
import type { Claim, Use } from './claims.ts'
import { listedOfEachMax } from './collected-findings.ts'
import { readReferences } from './references.ts'
import type { OverflowChain } from './references.ts'

/** SQLite refuses deeper trees (BTCURSOR_MAX_DEPTH), and no file is large enough for them. */
const depthMax = 20

interface WalkStep {
  readonly page: number
  readonly children: readonly number[]
  next: number
}

export interface Tree {
  readonly root: number
  readonly object: FoundObject
  /** The kind of tree that the schema says; null if both are possible, as for a table (it may be WITHOUT ROWID). */
  readonly kind: 'table' | 'index' | null
}

/**
 * Yields after each page, so that the caller can stop. Does not recurse: the depth is bounded, and each page is visited
 * at most once.
 */
export function* walkTree(
  account: AccountingState,
  tree: Tree,
  onLeaf: (page: number) => void = () => {},
): Generator<void> {
  const trail: WalkStep[] = []
  let kind = tree.kind
  const depths: Depths = new Map()
  let next: number | null = tree.root
  while (next !== null) {
    const page: number = next
    // Nearly all pages are such leaves. A path and some objects for each came to a hundred megabytes, and took longer
    // to collect than to make.
    if (kind !== null && claimKnownLeaf(account, tree, page, trail.at(-1)?.page ?? 0, kind)) {
      countDepth(depths, trail, page)
      onLeaf(page)
      yield
      next = nextOf(trail)
      continue
    }
    const path = pathTo(trail, page)
    const visited = visit(account, tree, page, path, kind)
    yield
    if (visited !== null) {
      kind ??= visited.tree
      for (const chain of visited.chains) yield* walkChain(account, tree, page, path, chain)
      if (visited.leaf) {
        countDepth(depths, trail, page)
        onLeaf(page)
      } else if (trail.length >= depthMax - 1) {
        account.breakOff(
          'page-unreadable',
          tree.object,
          page,
          path,
          `the tree of ${nameOfObject(tree.object)} is deeper than ${depthMax} levels`,
        )
      } else trail.push({ page, children: visited.children, next: 0 })
    }
    next = nextOf(trail)
  }
  reportWrongDepths(account, tree, depths)
}

/** Number of leaves by their distance from the root, and the paths of the first of each. */
type Depths = Map<number, { count: number; readonly first: (readonly number[])[] }>

function countDepth(depths: Depths, trail: readonly WalkStep[], page: number): void {
  const depth = trail.length
  const known = depths.get(depth) ?? { count: 0, first: [] }
  if (known.count === 0) depths.set(depth, known)
  known.count++
  if (known.first.length < listedOfEachMax) known.first.push(pathTo(trail, page))
}

const pathTo = (trail: readonly WalkStep[], page: number): readonly number[] => [
  ...trail.map((step) => step.page),
  page,
]

/** Reports leaves of another depth than most. All leaves of a healthy tree lie equally deep. */
function reportWrongDepths(account: AccountingState, tree: Tree, depths: Depths): void {
  const [right, ...wrong] = [...depths].toSorted(([, a], [, b]) => b.count - a.count)
  // A pointer leads over a level: the pages that it leaves out belong to this tree.
  if (wrong.length > 0) account.brokenOff = true
  for (const [depth, { first }] of wrong) {
    for (const path of first) {
      const page = path.at(-1) ?? tree.root
      account.report(
        'wrong-depth',
        'damage',
        tree.object,
        page,
        path,
        `page ${page} lies ${count(depth, 'level')} below the root of ` +
          `${nameOfObject(tree.object)}, most leaves ${right?.[0]}`,
      )
    }
  }
}

function nextOf(trail: WalkStep[]): number | null {
  for (let step = trail.at(-1); step !== undefined; step = trail.at(-1)) {
    const child = step.children[step.next++]
    if (child !== undefined) return child
    trail.pop()
  }
  return null
}

interface VisitedPage {
  readonly tree: 'table' | 'index'
  readonly leaf: boolean
  readonly children: readonly number[]
  readonly chains: readonly OverflowChain[]
}

/**
 * Claims a leaf that the prescan knows, if it is of the right kind and not claimed yet. False if `visit` must read the
 * page; nothing was then done.
 */
function claimKnownLeaf(
  account: AccountingState,
  tree: Tree,
  page: number,
  parent: number,
  kind: 'table' | 'index',
): boolean {
  if (parent === 0 || account.claims.useOf(page) !== uses.none || account.prescannedLeaf(page) !== kind) return false
  if (account.claims.claim(page, tree.root, uses.bTree, parent).kind !== 'granted') return false
  account.pagesRead++
  return true
}

/** Claims and reads one page of the tree; null if the walk cannot continue below it. */
function visit(
  account: AccountingState,
  tree: Tree,
  page: number,
  path: readonly number[],
  kind: 'table' | 'index' | null,
): VisitedPage | null {
  const use: Use = path.length === 1 ? uses.root : uses.bTree
  const parent = path.at(-2) ?? 0
  const claim = account.claims.claim(page, tree.root, use, parent)
  if (claim.kind !== 'granted') {
    reportRefused(account, tree, page, claim, path, parent)
    return null
  }
  const bytes = account.read(page)
  if (bytes === null) return null
  const references = readReferences(bytes, page, account.layout)
  if (references.kind === 'unreadable') {
    account.breakOff(
      'page-unreadable',
      tree.object,
      page,
      path,
      `page ${page} of ${nameOfObject(tree.object)} ${references.why}`,
    )
    return null
  }
  if (kind !== null && references.tree !== kind) {
    reportWrongKind(account, tree, page, path, kind, references.tree)
    return null
  }
  if (references.wrongCells > 0) {
    const which = references.wrongCells === 1 ? '' : ` (and ${references.wrongCells - 1} more of its cells)`
    account.breakOff(
      'page-malformed',
      tree.object,
      page,
      path,
      `page ${page} of ${nameOfObject(tree.object)}: ${references.why}${which}`,
    )
  }
  return references
}

/** Reports a page of the other kind of tree. */
function reportWrongKind(
  account: AccountingState,
  tree: Tree,
  page: number,
  path: readonly number[],
  kind: 'table' | 'index',
  actual: 'table' | 'index',
): void {
  const words = { table: 'a table', index: 'an index' }
  const why = path.length === 1 ? `the schema says ${kind}` : `it is reached through pages of ${words[kind]}`
  account.breakOff(
    'page-unreadable',
    tree.object,
    page,
    path,
    `page ${page} of ${nameOfObject(tree.object)} is a page of ${words[actual]}, but ${why}`,
  )
}

/**
 * Follows one overflow chain (sqlite.org/fileformat2.html, section 1.7). It must have as many pages as the payload
 * needs, and a zero after the last.
 */
function* walkChain(
  account: AccountingState,
  tree: Tree,
  parent: number,
  path: readonly number[],
  chain: OverflowChain,
): Generator<void> {
  let page = chain.first
  let before = parent
  for (let read = 0; read < chain.pages; read++) {
    if (page === 0) {
      account.breakOff(
        'overflow-broken',
        tree.object,
        parent,
        path,
        `a value of ${nameOfObject(tree.object)} on page ${parent} ends after ${read} of ${chain.pages} overflow pages`,
      )
      return
    }
    const claim = account.claims.claim(page, tree.root, read === 0 ? uses.firstOverflow : uses.laterOverflow, before)
    if (claim.kind !== 'granted') return reportRefused(account, tree, page, claim, [...path, page], before)
    const next = account.firstWord(page)
    if (next === null) return
    before = page
    page = next
    yield
  }
  if (page !== 0) {
    account.breakOff(
      'overflow-broken',
      tree.object,
      parent,
      path,
      `a value of ${nameOfObject(tree.object)} on page ${parent} needs ` +
        `${chain.pages} overflow pages, but its chain goes on to page ${page}`,
    )
  }
}

/** Reports that a page could not be claimed for a tree. */
function reportRefused(
  account: AccountingState,
  tree: Tree,
  page: number,
  claim: Exclude<Claim, { kind: 'granted' }>,
  path: readonly number[],
  parent: number,
): void {
  if (claim.kind === 'out-of-range') {
    const from = path.length === 1 ? 'as its root' : `from page ${parent}`
    // The page at fault is the one that points there. For a root that is the schema, which has no page here.
    account.breakOff(
      'page-out-of-range',
      tree.object,
      parent === 0 ? null : parent,
      path.slice(0, -1),
      `${nameOfObject(tree.object)} points to page ${page} ${from}, but the database has ${account.claims.pageCount}`,
    )
    return
  }
  const other = isPointerMapPage(account.layout, page)
    ? 'a pointer-map page'
    : `used by ${account.nameOfOwner(claim.owner, claim.use)}`
  account.breakOff(
    'page-used-twice',
    tree.object,
    page,
    path,
    `page ${page} belongs to ${nameOfObject(tree.object)} and is ${other} as well`,
    account.objectOf(claim.owner),
  )
}
