/**
 * Child side: walks the tree of a table or an index in the order of its keys. It follows only what fits. A page must be
 * of the right kind, and its keys must lie between those of its parent. Its records must look like those of the tree.
 * What does not fit leaves a gap.
 */
import type { DamagedFile } from './damaged-file.ts'
import { KeyReader, type Key } from './keys.ts'
import { CellJudge, trustedKeys, type Bounds, type JudgedPage } from './page-cells.ts'
import type { OverflowChains } from './payloads.ts'
import { columnsMin, type TreeShape } from './shape.ts'

/** Children of the root that are followed to find out how deep the leaves lie. */
const childrenSampled = 50
const unbounded = { low: null, high: null }

/** SQLite refuses deeper trees (BTCURSOR_MAX_DEPTH). */
const depthMax = 20

/** A page of the tree that has rows or entries. */
export interface RowPage {
  readonly page: number
  readonly bytes: Uint8Array
  readonly judged: JudgedPage
  /** Keys of the page lie between these; null: no bound. */
  readonly low: Key | null
  readonly high: Key | null
}

/** A part of a tree that could not be followed. */
export interface Gap {
  readonly low: Key | null
  readonly high: Key | null
  /** The page that should be there, or what the pointer says. 0 if no pointer could be read. */
  readonly page: number
  /** Distance from the root. */
  readonly depth: number
}

export interface WalkResult {
  /** Distance of the leaves from the root; null if no leaf was reached. */
  leafDepth: number | null
  readonly gaps: Gap[]
}

/** `claim`: pages are claimed for the tree. `claimed`: only pages that were claimed for it are visited. */
export type WalkMode = 'claim' | 'claimed'

interface Visit {
  readonly page: number
  readonly low: Key | null
  readonly high: Key | null
  readonly depth: number
}

export class TreeWalker {
  readonly keys: KeyReader
  readonly judge: CellJudge
  readonly #file: DamagedFile
  readonly #shape: TreeShape
  readonly #leafBytes: Uint8Array

  constructor(file: DamagedFile, shape: TreeShape, chains: OverflowChains) {
    this.#file = file
    this.#shape = shape
    this.keys = new KeyReader(shape, chains)
    this.judge = new CellJudge(file.layout)
    this.#leafBytes = new Uint8Array(file.layout.pageSize)
  }

  /**
   * Distance of the leaves from the root, as most children of the root lead to them; null if none does. All leaves of a
   * healthy tree lie equally deep, so a leaf of another depth is not where a pointer should lead.
   */
  #expectedDepth(): number | null {
    const root = this.#judge(this.#shape.root, unbounded)
    if (root === null || root.judged.leaf) return root === null ? null : 0
    const depths = new Map<number, number>()
    for (const child of root.judged.children.slice(0, childrenSampled)) {
      let page = child
      for (let depth = 1; depth < depthMax; depth++) {
        const found = page === this.#shape.root ? null : this.#judge(page, unbounded)
        if (found === null) break
        if (found.judged.leaf) {
          depths.set(depth, (depths.get(depth) ?? 0) + 1)
          break
        }
        page = found.judged.children[0] ?? 0
      }
    }
    const [best = null] = [...depths].toSorted(([a, times], [b, others]) => others - times || b - a)
    return best === null ? null : best[0]
  }

  /** True if the records of the first leaf have all columns of the tree. */
  looksExact(): boolean {
    let page = this.#shape.root
    for (let depth = 0; depth < depthMax; depth++) {
      const found = this.#judge(page, unbounded, this.#shape.columnsMax)
      if (found === null) return false
      const { leaf, alike, readable, children } = found.judged
      if (leaf) return readable > 0 && alike * 2 >= readable
      page = children[0] ?? 0
    }
    return false
  }

  /** Yields the pages with rows. Their bytes and keys are valid until the next one. */
  *walk(mode: WalkMode, walked: WalkResult): Generator<RowPage> {
    const ahead: Visit[] = [{ page: this.#shape.root, low: null, high: null, depth: 0 }]
    const seen = new Set<number>()
    walked.leafDepth = this.#expectedDepth()
    for (let visit = ahead.pop(); visit !== undefined; visit = ahead.pop()) {
      const found = this.#visit(visit, mode, seen, walked.leafDepth)
      if (!('judged' in found)) {
        walked.gaps.push(found)
        if (found.depth === 0) walked.leafDepth = null // It was another tree that was measured.
        continue
      }
      const { page, low, high, depth } = visit
      const { bytes, judged } = found
      if (!judged.leaf && depth + 1 < depthMax) ahead.push(...childrenOf(visit, judged).toReversed())
      if (judged.leaf || this.#shape.kind !== 'rowid-table') yield { page, bytes, judged, low, high }
    }
  }

  #visit(
    { page, low, high, depth }: Visit,
    mode: WalkMode,
    seen: Set<number>,
    leafDepth: number | null,
  ): Gap | { readonly bytes: Uint8Array; readonly judged: JudgedPage } {
    const file = this.#file
    const gap: Gap = { low, high, page, depth }
    const owner = file.owners[page] ?? 0
    const mine = this.#shape.id + 1
    const isPossible = page > 0 && page <= file.pages && !file.isReserved(page) && (page > 1 || depth === 0)
    if (!isPossible || (mode === 'claim' ? owner !== 0 : owner !== mine || seen.has(page))) return gap
    const found = this.#judge(page, { low, high })
    if (found === null || !fits(found.judged, depth)) return gap
    if (leafDepth !== null && found.judged.leaf !== (depth === leafDepth)) return gap
    file.owners[page] = mine
    if (mode === 'claimed') seen.add(page)
    return found
  }

  #judge(
    page: number,
    bounds: Bounds,
    countMin = columnsMin(this.#shape),
  ): { readonly bytes: Uint8Array; readonly judged: JudgedPage } | null {
    const bytes = this.#file.read(page, this.#leafBytes)
    const judged = bytes === null ? null : this.judge.judge(this.#shape, this.keys, page, bytes, bounds, countMin)
    return bytes === null || judged === null ? null : { bytes, judged }
  }
}

/** A page with other keys or other records than these has come here by mistake. */
function fits({ leaf, states, readable, alike, between, children }: JudgedPage, depth: number): boolean {
  if (states.length === 0) return depth === 0 || (!leaf && children.length > 0)
  if (readable === 0) return false
  return alike * 2 >= readable && between * 2 >= readable
}

/** Children in their order. Keys that cannot be trusted bound nothing. */
function childrenOf({ low, high, depth }: Visit, judged: JudgedPage): readonly Visit[] {
  const separators = trustedKeys(judged)
  const lows: (Key | null)[] = []
  for (let i = 0, before = low; i < judged.children.length; i++) {
    lows.push(before)
    before = separators[i] ?? before
  }
  const visits: Visit[] = []
  for (let i = judged.children.length - 1, after = high; i >= 0; i--) {
    after = separators[i] ?? after
    visits.push({ page: judged.children[i] ?? 0, low: lows[i] ?? null, high: after, depth: depth + 1 })
  }
  return visits.toReversed()
}
