/** Sorts the unmatched entries of an index by what is wrong with them, and finds the other indexes that agree. */

import type { IndexPlan } from '../plan.ts'
import type { EntryNamer, NamedEntry, UnmatchedEntry } from './entry-namer.ts'

/** What is left of one index. */
export interface UnmatchedOfIndex {
  /** The first ones: all, unless there were more than can be kept. */
  readonly entries: UnmatchedEntry[]
  /** All rows without an entry. */
  missing: number
  /** All entries without a row. */
  extra: number
}

/** Rows or entries of one index that have the same thing wrong. */
export interface EntryGroup {
  readonly rule: 'row-missing-from-index' | 'entry-without-row' | 'entry-differs-from-row'
  readonly named: readonly NamedEntry[]
  /** More than `named` if there were too many to keep. */
  readonly total: number
}

/** A missing row and an extra entry that name the same row count as one entry that differs from its row. */
export function groupEntries(
  index: IndexPlan,
  { entries, missing, extra }: UnmatchedOfIndex,
  namer: EntryNamer,
): readonly EntryGroup[] {
  const rows = new Map<string, NamedEntry[]>()
  const without: NamedEntry[] = []
  const differing: NamedEntry[] = []
  for (const entry of entries.filter(({ sign }) => sign === 1)) {
    const named = namer.name(index, entry)
    const same = rows.get(named.row)
    if (same) same.push(named)
    else rows.set(named.row, [named])
  }
  for (const entry of entries.filter(({ sign }) => sign === -1)) {
    const named = namer.name(index, entry)
    const same = rows.get(named.row)
    if (same === undefined) {
      without.push(named)
      continue
    }
    differing.push(named)
    same.pop()
    if (same.length === 0) rows.delete(named.row)
  }
  const differ = differing.length
  const groups: readonly EntryGroup[] = [
    { rule: 'row-missing-from-index', named: [...rows.values()].flat(), total: missing - differ },
    { rule: 'entry-without-row', named: without, total: extra - differ },
    { rule: 'entry-differs-from-row', named: differing, total: differ },
  ]
  return groups.filter(({ total }) => total > 0)
}

/**
 * Gives the names of the other indexes of the same table that have the same rule broken for the same row. All rows
 * count, not only the few that a finding names.
 *
 * Each row maps to the number of a set of index names: there may be as many rows as entries, but few sets.
 */
export function agreeingIndexes(
  grouped: readonly { readonly index: IndexPlan; readonly groups: readonly EntryGroup[] }[],
): (index: IndexPlan, group: EntryGroup) => readonly string[] {
  const sets: (readonly string[])[] = [[]]
  const larger = new Map<string, number>()
  const withName = (set: number, name: string): number => {
    const names = sets[set] ?? []
    if (names.includes(name)) return set
    const step = JSON.stringify([set, name])
    const next = larger.get(step) ?? sets.push([...names, name]) - 1
    larger.set(step, next)
    return next
  }
  const setOf = new Map<string, number>()
  const idOf = (index: IndexPlan, rule: EntryGroup['rule'], row: string): string =>
    JSON.stringify([index.table, rule, row])
  for (const { index, groups } of grouped) {
    for (const { rule, named } of groups) {
      for (const { key, row } of named) {
        if (key === null) continue
        const id = idOf(index, rule, row)
        setOf.set(id, withName(setOf.get(id) ?? 0, index.object.name))
      }
    }
  }
  return (index, { rule, named }) => {
    const found = new Set(named.map(({ key, row }) => (key === null ? 0 : (setOf.get(idOf(index, rule, row)) ?? 0))))
    return [...new Set([...found].flatMap((set) => sets[set] ?? []))]
      .filter((name) => name !== index.object.name)
      .toSorted()
  }
}
