/**
 * Child side: finds the tables of leaves that nothing names. A leaf surely belongs to a table under three conditions.
 * The file has no other use for it. All its rows look like rows of that table, and of no other that lacks pages. Its
 * keys lie in a gap of that table, which lost the pointer and not the page.
 */
import { CellCursor } from '../../../../census/record/cell-cursor.ts'
import { beginPage } from './begin-page.ts'
import type { DamagedFile } from './damaged-file.ts'
import { keptKey, type Key } from './keys.ts'
import { hasLostTrunk } from './lost-trunks.ts'
import type { JudgedPage } from './page-cells.ts'
import type { OverflowChains } from './payloads.ts'
import { RecordHeader } from './record-header.ts'
import { looksLike, type TreeShape } from './shape.ts'
import type { Gap, TreeWalker, WalkResult } from './walk-tree.ts'

/** More columns than any table of SQLite has. */
const columnsMost = 40_000

/** Types of pages that have rows or entries. */
const rowPages = new Set([2, 10, 13])

export interface WalkedTree {
  readonly shape: TreeShape
  readonly walker: TreeWalker
  readonly walked: WalkResult
  /** False if its pages may be those of another tree. */
  readonly isCertain: boolean
  /** Fewest columns of a record that was seen on its pages; null if none was. */
  countMin: number | null
  /** Cells that were read, and cells that could not be. */
  entries: number
  badCells: number
  /** Leaves that were adopted, in the order of their keys. */
  readonly adopted: AdoptedLeaf[]
  /** Gaps that the adopted leaves fill completely. */
  readonly filled: Set<Gap>
}

/** True if each of its pages and cells could be read where it must be. */
export const wasReadWholly = ({ walked, badCells }: WalkedTree): boolean => walked.gaps.length === 0 && badCells === 0

export interface AdoptedLeaf {
  readonly page: number
  readonly gap: Gap
  readonly first: Key
  readonly last: Key
  /** An interior page of a table WITHOUT ROWID, which has rows as well. */
  readonly isInterior: boolean
}

/** A leaf that no tree owns, and the table whose rows it seems to hold; null if none fits. */
export interface Orphan {
  readonly page: number
  readonly tree: WalkedTree | null
}

export class PageAdoption {
  readonly #file: DamagedFile
  readonly #chains: OverflowChains
  readonly #trees: readonly WalkedTree[]
  readonly #page: Uint8Array
  readonly #cursor: CellCursor
  readonly #header = new RecordHeader()
  /** True if every free page of the file is known. */
  #freeListIsWhole = false

  constructor(file: DamagedFile, chains: OverflowChains, trees: readonly WalkedTree[]) {
    this.#file = file
    this.#chains = chains
    this.#trees = trees
    this.#page = new Uint8Array(file.layout.pageSize)
    this.#cursor = new CellCursor(file.layout.usable, file.layout.pageSize)
  }

  /**
   * Yields after each page that it reads.
   * @param schemaIsWhole false if a table may exist that is not known: then nothing is certain
   * @returns the leaves that no table surely owns
   */
  *adopt(schemaIsWhole: boolean): Generator<void, readonly Orphan[]> {
    this.#freeListIsWhole = this.#file.freeListIsWhole && !(yield* hasLostTrunk(this.#file))
    const orphans: Orphan[] = []
    const claims = new Map<Gap, (AdoptedLeaf & { readonly tree: WalkedTree })[]>()
    for (let page = 2; page <= this.#file.pages; page++) {
      if (!this.#file.isUnowned(page)) continue
      const bytes = this.#file.read(page, this.#page)
      const type = bytes?.[0] ?? 0
      if (bytes === null || !rowPages.has(type)) continue
      const fitting = this.#candidates(page, bytes).flatMap((tree) => this.#fit(tree, page, bytes))
      const [only, ...others] = fitting.filter(({ gap }) => gap !== null)
      yield
      if (only !== undefined && only.gap !== null && others.length === 0 && schemaIsWhole) {
        const { gap, first, last, tree } = only
        const claimed = claims.get(gap) ?? []
        claimed.push({ page, gap, first, last, tree, isInterior: type === 2 })
        claims.set(gap, claimed)
      } else {
        const table = fitting.find(({ tree }) => tree.shape.kind !== 'index')?.tree ?? null
        if (table !== null || type === 13) orphans.push({ page, tree: table })
      }
    }
    for (const [gap, leaves] of claims) this.#settle(gap, leaves, orphans)
    if (schemaIsWhole && this.#file.hasItsEnd && !this.#hasUnknownPages(claims)) this.#fill(claims)
    return orphans
  }

  /** Trees that may own a page, by its first record that can be read. It saves judging the page for each tree. */
  #candidates(page: number, bytes: Uint8Array): readonly WalkedTree[] {
    const cursor = this.#cursor
    const header = this.#header
    if (!beginPage(cursor, bytes, page, this.#file.layout)) return []
    for (let i = 0; i < cursor.cellCount; i++) {
      if (!cursor.read(i)) continue
      const { payload, localBytes, payloadBytes } = cursor
      const outcome = header.parse(bytes, payload, localBytes, payloadBytes, columnsMost)
      if (outcome === 'wrong') continue
      return this.#trees.filter(
        ({ shape, countMin }) =>
          shape.id !== 0 &&
          (shape.kind === 'rowid-table') === (cursor.tree === 'table') &&
          (outcome === 'longer' || looksLike(shape, header, countMin ?? shape.columnsMax)),
      )
    }
    return []
  }

  /** A leaf without a gap of its tree may be one of it that was deleted. */
  #fit(
    tree: WalkedTree,
    page: number,
    bytes: Uint8Array,
  ): readonly { readonly tree: WalkedTree; readonly gap: Gap | null; readonly first: Key; readonly last: Key }[] {
    const { shape, walker, walked } = tree
    const bounds = { low: null, high: null }
    const judged = walker.judge.judge(shape, walker.keys, page, bytes, bounds, tree.countMin ?? shape.columnsMax)
    if (judged === null || judged.readable === 0 || judged.alike * 2 < judged.readable) return []
    const [first, last] = [firstKey(judged), lastKey(judged)]
    const isPerfect = judged.alike === judged.states.length && judged.states.every((state) => state === 'good')
    if (first === null || last === null || !isPerfect) return [{ tree, gap: null, first: 0n, last: 0n }]
    const gap = walked.gaps.find(
      ({ low, high }) => walker.keys.isBetween(first, low, high) && walker.keys.isBetween(last, low, high),
    )
    const key = { first: keptKey(first), last: keptKey(last) }
    return [{ tree, gap: gap !== undefined && this.#isAdoptable(gap, tree) ? gap : null, ...key }]
  }

  /** False if the page that belongs there is the one that is named: then no other page can be it. */
  #isAdoptable(gap: Gap, { walked, shape }: WalkedTree): boolean {
    const isLeaf = gap.depth === walked.leafDepth
    return this.#freeListIsWhole && shape.ordered && (!isLeaf || this.#isUsedOtherwise(gap.page))
  }

  #isUsedOtherwise(page: number): boolean {
    return page < 2 || page > this.#file.pages || !this.#file.isUnowned(page)
  }

  /** Gives leaves to their table, if they can all be there. */
  #settle(gap: Gap, leaves: readonly (AdoptedLeaf & { readonly tree: WalkedTree })[], orphans: Orphan[]): void {
    const tree = leaves[0]?.tree
    if (tree === undefined) return
    const { keys } = tree.walker
    const sorted = leaves.toSorted((a, b) => keys.compare(a.first, b.first))
    const atEnd = sorted.filter(({ isInterior }) => !isInterior)
    const overlaps = atEnd.some((leaf, i) => {
      const before = atEnd[i - 1]
      return before !== undefined && keys.compare(before.last, leaf.first) >= 0
    })
    if (overlaps || (gap.depth === tree.walked.leafDepth && leaves.length > 1)) {
      for (const { page } of sorted) orphans.push({ page, tree })
      return
    }
    for (const leaf of sorted) {
      this.#file.owners[leaf.page] = tree.shape.id + 1
      tree.adopted.push(leaf)
      this.#countChains(leaf.page, tree)
    }
  }

  /** True if a page is left that may be a leaf which nothing names. The interior pages that were lost are known. */
  #hasUnknownPages(claims: ReadonlyMap<Gap, unknown>): boolean {
    const interior = new Set([...claims.keys()].map(({ page }) => page))
    for (let page = 2; page <= this.#file.pages; page++) {
      if (!this.#file.isUnowned(page) || interior.has(page)) continue
      const type = this.#file.read(page, this.#page)?.[0]
      if (type !== 5 && type !== 2) return true
    }
    return false
  }

  /** All pages of the file have a use now, so the adopted leaves are all that there was. */
  #fill(claims: ReadonlyMap<Gap, readonly (AdoptedLeaf & { readonly tree: WalkedTree })[]>): void {
    for (const [gap, [leaf]] of claims) {
      if (leaf === undefined) continue
      // An interior page of a table WITHOUT ROWID had rows of its own.
      const { shape, walked } = leaf.tree
      const isLeaf = gap.depth === walked.leafDepth
      if (shape.kind === 'rowid-table' || isLeaf || this.#isUsedOtherwise(gap.page)) leaf.tree.filled.add(gap)
    }
  }

  #countChains(page: number, { walker, shape }: WalkedTree): void {
    const bytes = this.#file.read(page, this.#page)
    if (bytes !== null) countChains(this.#chains, walker, shape, page, bytes)
  }
}

/** Counts the chains of all cells of a page. */
export function countChains(
  chains: OverflowChains,
  { judge: { cursor, layout } }: TreeWalker,
  shape: TreeShape,
  page: number,
  bytes: Uint8Array,
): void {
  if (!beginPage(cursor, bytes, page, layout) || (!cursor.leaf && shape.kind === 'rowid-table')) return
  for (let i = 0; i < cursor.cellCount; i++) {
    if (!cursor.read(i) || cursor.localBytes === cursor.payloadBytes) continue
    const { overflow, payloadBytes, localBytes } = cursor
    chains.count({ first: overflow, payloadBytes, localBytes })
  }
}

const firstKey = ({ keys }: JudgedPage): Key | null => keys[0] ?? null
const lastKey = ({ keys }: JudgedPage): Key | null => keys.at(-1) ?? null
