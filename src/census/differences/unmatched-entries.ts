/**
 * Collects the entries that are left when all entries with a counterpart have cancelled out. They are rows without an
 * entry in an index, and entries of an index without a row.
 */

import type { Finding, SalvagedValue } from '../../model/result/finding.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { CensusPlan, IndexPlan } from '../plan.ts'
import type { PageOwners } from '../scan/page-owners.ts'
import { agreeingIndexes, groupEntries } from './entry-groups.ts'
import type { UnmatchedOfIndex } from './entry-groups.ts'
import { EntryNamer } from './entry-namer.ts'
import type { UnmatchedEntry } from './entry-namer.ts'
import { findingOfGroup } from './group-finding.ts'
import type { DifferenceOptions } from './group-finding.ts'

/** Entries that are kept, of all indexes together. Those beyond it are counted only. */
const keptMax = 200_000

/** An entry that SQLite computed for a row, and the entry that the index holds for the same row, part by part. */
export interface EntryPair {
  readonly expected: readonly SalvagedValue[]
  readonly actual: readonly SalvagedValue[]
}

export class UnmatchedEntries {
  readonly #plan: CensusPlan
  readonly #indexes = new Map<number, UnmatchedOfIndex>()
  #kept = 0

  constructor(plan: CensusPlan) {
    this.#plan = plan
  }

  add(tree: number, entry: UnmatchedEntry): void {
    const index = this.#indexes.get(tree) ?? { entries: [], missing: 0, extra: 0 }
    this.#indexes.set(tree, index)
    if (entry.sign === 1) index.missing++
    else index.extra++
    if (this.#kept >= keptMax) return
    this.#kept++
    index.entries.push(entry)
  }

  /** Indexes that have unmatched entries, as positions in the plan. */
  get trees(): ReadonlySet<number> {
    return new Set(this.#indexes.keys())
  }

  /**
   * Pairs of a computed index, one for each row: what SQLite computed and what the index holds. null if a row or an
   * entry has no partner, or cannot be read again.
   */
  pairsOf(tree: number, source: PageSource): readonly EntryPair[] | null {
    const { entries, missing, extra } = this.#indexes.get(tree) ?? { entries: [], missing: 0, extra: 0 }
    const index = this.#plan.trees[tree]
    if (index?.kind !== 'index' || missing !== extra || entries.length < missing + extra) return null
    const namer = new EntryNamer(this.#plan, source, false)
    const computed = new Map<string, readonly SalvagedValue[]>()
    const pairs: EntryPair[] = []
    for (const entry of entries.toSorted((a, b) => b.sign - a.sign)) {
      const { key, row } = namer.name(index, entry)
      if (key === null) return null
      if (entry.sign === 1 && entry.values !== null) computed.set(row, namer.partsOf(index))
      else {
        const expected = computed.get(row)
        if (entry.sign === 1 || expected === undefined) return null
        pairs.push({ expected, actual: namer.partsOf(index) })
      }
    }
    return pairs
  }

  findings(owners: PageOwners, source: PageSource, options: DifferenceOptions): readonly Finding[] {
    const namer = new EntryNamer(this.#plan, source, options.showValues)
    const grouped = [...this.#indexes]
      .toSorted(([a], [b]) => a - b)
      .map(([tree, unmatched]) => {
        const index = this.#plan.trees[tree] as IndexPlan
        return { index, groups: groupEntries(index, unmatched, namer) }
      })
    const agreeing = agreeingIndexes(grouped)
    return grouped.flatMap(({ index, groups }) =>
      groups.map((group) => findingOfGroup(this.#plan, index, group, agreeing(index, group), owners, options)),
    )
  }
}
