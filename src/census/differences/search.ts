/**
 * The difference search: finds the rows because of which the sums of an index and its table differ.
 *
 * It collects only the entries in unequal buckets, in as many passes over the pages as their number needs. Entries with
 * a counterpart cancel out. The rest is exact: rows without an entry, and entries without a row. If both name the same
 * row, the entry differs from its row.
 */

import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { ColumnValue } from '../../sqlite/column-value.ts'
import type { CensusPlan, IndexPlan } from '../plan.ts'
import { ComputedPrints } from '../scan/computed-entries.ts'
import type { PageOwners } from '../scan/page-owners.ts'
import { Scanner } from '../scan/scan.ts'
import { bucketOf, emptyTally, unequalBuckets } from '../scan/tally.ts'
import type { CensusTally } from '../scan/tally.ts'
import type { UnmatchedEntry } from './entry-namer.ts'
import { UnmatchedEntries } from './unmatched-entries.ts'

const entriesEachPassUsual = 1_000_000
/** Most passes. If more were needed, `complete` is false. */
const passesMax = 24

/** Indexes with an unequal bucket, as positions in the plan. */
export const differingIndexes = (plan: CensusPlan, tally: CensusTally): readonly number[] =>
  plan.trees.flatMap((tree, i) => (tree.kind === 'index' && unequalBuckets(tally, i).length > 0 ? [i] : []))

/** One pass: scan all pages that it needs with `scanner`, add the entries of `computed`, then call `end`. */
export interface DifferencePass {
  readonly scanner: Scanner
  /** Indexes whose expected entries SQLite must compute again. */
  readonly computed: readonly number[]
  addComputed(tree: number, values: readonly ColumnValue[]): void
  /** True if this pass must scan the page. */
  needs(page: number): boolean
  /** Gives what is left to `take`; without it, to `DifferenceSearch.unmatched`. */
  end(take?: UnmatchedEntrySink): void
}

/** @param tree position of the index in the plan */
export type UnmatchedEntrySink = (tree: number, entry: UnmatchedEntry) => void

export class DifferenceSearch {
  readonly unmatched: UnmatchedEntries
  /** False if there are more differences than the passes could find. */
  complete = true
  readonly #plan: CensusPlan
  readonly #owners: PageOwners
  readonly #tally: CensusTally
  readonly #entriesEachPass: number

  /** @param entriesEachPass most entries that one pass may hold, at 21 bytes each */
  constructor(plan: CensusPlan, owners: PageOwners, tally: CensusTally, entriesEachPass = entriesEachPassUsual) {
    this.#entriesEachPass = entriesEachPass
    this.#plan = plan
    this.#owners = owners
    this.#tally = tally
    this.unmatched = new UnmatchedEntries(plan)
  }

  /** The passes to make, one after another. None if all sums are equal. */
  *passes(source: PageSource): Generator<DifferencePass> {
    let made = 0
    for (const group of this.#groups()) {
      if (made++ >= passesMax) {
        this.complete = false
        return
      }
      yield this.#pass(group, source)
    }
  }

  /** Groups of unequal buckets, each as large as one pass may hold if the buckets of an index are equally full. */
  *#groups(): Generator<ReadonlyMap<number, Uint8Array>> {
    let group = new Map<number, Uint8Array>()
    let size = 0
    for (const tree of differingIndexes(this.#plan, this.#tally)) {
      const each = this.#entriesEachBucket(tree)
      for (const bucket of unequalBuckets(this.#tally, tree)) {
        if (size > 0 && size + each > this.#entriesEachPass) {
          yield group
          group = new Map()
          size = 0
        }
        size += each
        const wanted = group.get(tree) ?? new Uint8Array(this.#plan.buckets)
        wanted[bucket] = 1
        group.set(tree, wanted)
      }
    }
    if (group.size > 0) yield group
  }

  #entriesEachBucket(tree: number): number {
    const index = this.#plan.trees[tree]
    const rows = index?.kind === 'index' ? (this.#tally.entries[index.table] ?? 0) : 0
    return 1 + Math.ceil((rows + (this.#tally.entries[tree] ?? 0)) / this.#plan.buckets)
  }

  #pass(wanted: ReadonlyMap<number, Uint8Array>, source: PageSource): DifferencePass {
    const collected = new EntryCollection(wanted, this.#plan.buckets)
    const plan = this.#plan
    const trees = new Set<number>([...wanted.keys()].flatMap((tree) => [tree, (plan.trees[tree] as IndexPlan).table]))
    const computed = [...wanted.keys()].filter((tree) => (plan.trees[tree] as IndexPlan).entries === 'computed')
    const scratch = emptyTally(plan, this.#tally.key)
    const scanner = new Scanner(plan, this.#owners, source, scratch, {
      content: false,
      only: trees,
      sink: collected,
      core: null,
    })
    const prints = new ComputedPrints(plan, this.#tally.key)
    const streamed: (readonly ColumnValue[])[] = []
    return {
      scanner,
      computed,
      addComputed: (tree, values) => {
        const print = prints.of(tree, values)
        if (!collected.wants(tree, print.low, print.high)) return
        collected.add(tree, 1, print.low, print.high, 0, streamed.length)
        streamed.push(values)
      },
      needs: (page) => trees.has((this.#owners.trees[page] ?? 0) - 1),
      end: (take = (tree, entry) => this.unmatched.add(tree, entry)) =>
        collected.cancel((tree, sign, page, cell) =>
          take(tree, { sign, page, cell, values: page === 0 ? (streamed[cell] ?? []) : null }),
        ),
    }
  }
}

/** The entries of the wanted buckets, in typed arrays. */
class EntryCollection {
  readonly #wanted: ReadonlyMap<number, Uint8Array>
  readonly #buckets: number
  #count = 0
  #tree = new Uint32Array(1024)
  #sign = new Int8Array(1024)
  #low = new Int32Array(1024)
  #high = new Int32Array(1024)
  #page = new Uint32Array(1024)
  #cell = new Uint32Array(1024)

  constructor(wanted: ReadonlyMap<number, Uint8Array>, buckets: number) {
    this.#wanted = wanted
    this.#buckets = buckets
  }

  wants(tree: number, low: number, high: number): boolean {
    return this.#wanted.get(tree)?.[bucketOf(low, high, this.#buckets)] === 1
  }

  add(tree: number, sign: 1 | -1, low: number, high: number, page: number, cell: number): void {
    if (!this.wants(tree, low, high)) return
    if (this.#count === this.#tree.length) this.#grow()
    const at = this.#count++
    this.#tree[at] = tree
    this.#sign[at] = sign
    this.#low[at] = low
    this.#high[at] = high
    this.#page[at] = page
    this.#cell[at] = cell
  }

  /** Calls `left` for each entry without a counterpart. */
  cancel(left: (tree: number, sign: 1 | -1, page: number, cell: number) => void): void {
    const tree = this.#tree,
      sign = this.#sign,
      low = this.#low,
      high = this.#high
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i)
    const compare = (a: number, b: number): number =>
      (low[a] ?? 0) - (low[b] ?? 0) || (high[a] ?? 0) - (high[b] ?? 0) || (tree[a] ?? 0) - (tree[b] ?? 0)
    order.sort(compare)
    for (let from = 0; from < order.length;) {
      const first = order[from] ?? 0
      let to = from
      let net = 0
      while (to < order.length && compare(first, order[to] ?? 0) === 0) net += sign[order[to++] ?? 0] ?? 0
      // If one of several equal entries is extra, it is not known which: the last ones are named.
      for (let i = to - 1; i >= from && net !== 0; i--) {
        const at = order[i] ?? 0
        const one = sign[at] === 1 ? 1 : -1
        if (Math.sign(net) !== one) continue
        net -= one
        left(tree[at] ?? 0, one, this.#page[at] ?? 0, this.#cell[at] ?? 0)
      }
      from = to
    }
  }

  #grow(): void {
    const length = this.#tree.length * 2
    const wider = <T extends Uint32Array | Int32Array | Int8Array>(from: T, into: T): T => {
      into.set(from)
      return into
    }
    this.#tree = wider(this.#tree, new Uint32Array(length))
    this.#sign = wider(this.#sign, new Int8Array(length))
    this.#low = wider(this.#low, new Int32Array(length))
    this.#high = wider(this.#high, new Int32Array(length))
    this.#page = wider(this.#page, new Uint32Array(length))
    this.#cell = wider(this.#cell, new Uint32Array(length))
  }
}
