/** What the second look left over, and the findings that it comes to. */

import type { Finding, RowKey, SalvagedValue } from '../../model/result/finding.ts'
import type { BadPlaces } from '../../sqlite/accounting/bad-places.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import { count } from '../../text/count.ts'
import type { CensusPlan, IndexPlan } from '../plan.ts'
import type { ColumnValue } from '../record/column-value.ts'
import { Columns } from '../record/columns.ts'
import { compareRowKeys, identityKey, rowidKey } from '../record/row-key.ts'
import type { PageOwners } from '../scan/page-owners.ts'
import { trailTo } from '../scan/page-owners.ts'
import { CellReader } from './reread-cell.ts'
import { salvageableOf, salvageFrom, valuesAt } from './salvage.ts'

/** Entries that are told which row they name; of more only the number is given. */
const namedMax = 200_000
/** Rows or keys that one finding names. */
const rowsMax = 20
/** Bytes of values that all findings together tell. */
const salvageBytesMax = 16 << 20

interface Leftover {
  /** 1: the table has the row and the index no entry for it; -1: the other way round. */
  readonly sign: 1 | -1
  readonly page: number
  readonly cell: number
  /** The entry as SQLite computed it, where it comes from no page. */
  readonly values: readonly ColumnValue[] | null
}

interface OfIndex {
  readonly left: Leftover[]
  missing: number
  extra: number
}

interface Named {
  /** null where the cell cannot be read again. */
  readonly key: RowKey | null
  /** Page of the row or of the entry; 0 where SQLite computed it. */
  readonly page: number
  /** What the entry holds beside the key; null for rows, and where nobody asked. */
  readonly values: readonly SalvagedValue[] | null
}

export class UnmatchedEntries {
  readonly #plan: CensusPlan
  readonly #indexes = new Map<number, OfIndex>()
  #kept = 0

  constructor(plan: CensusPlan) {
    this.#plan = plan
  }

  add(tree: number, sign: 1 | -1, page: number, cell: number, values: readonly ColumnValue[] | null): void {
    const index = this.#indexes.get(tree) ?? { left: [], missing: 0, extra: 0 }
    this.#indexes.set(tree, index)
    if (sign === 1) index.missing++
    else index.extra++
    if (this.#kept >= namedMax) return
    this.#kept++
    index.left.push({ sign, page, cell, values })
  }

  /** Indexes for which something was left over. */
  get trees(): ReadonlySet<number> {
    return new Set(this.#indexes.keys())
  }

  /**
   * What the entries of a computed index hold beside what SQLite computed for the same rows, in the order of its parts.
   * null where some row or entry is left over alone, or cannot be read again.
   */
  pairsOf(tree: number, source: PageSource): readonly EntryPair[] | null {
    const { left, missing, extra } = this.#indexes.get(tree) ?? { left: [], missing: 0, extra: 0 }
    const index = this.#plan.trees[tree]
    if (index?.kind !== 'index' || missing !== extra || left.length < missing + extra) return null
    const namer = new Namer(this.#plan, source, false)
    const computed = new Map<string, readonly SalvagedValue[]>()
    const pairs: EntryPair[] = []
    for (const one of left.toSorted((a, b) => b.sign - a.sign)) {
      const { key } = namer.name(index, one)
      const id = JSON.stringify(key)
      if (key === null) return null
      if (one.sign === 1 && one.values !== null) computed.set(id, namer.partsOf(index))
      else {
        const expected = computed.get(id)
        if (one.sign === 1 || expected === undefined) return null
        pairs.push({ expected, actual: namer.partsOf(index) })
      }
    }
    return pairs
  }

  findings(owners: PageOwners, source: PageSource, wanted: Wanted): readonly Finding[] {
    const namer = new Namer(this.#plan, source, wanted.showValues)
    const told = [...this.#indexes]
      .toSorted(([a], [b]) => a - b)
      .map(([tree, left]) => {
        const index = this.#plan.trees[tree] as IndexPlan
        return { index, groups: groupsOf(index, left, namer) }
      })
    const agreeing = agreeingOf(told)
    return told.flatMap(({ index, groups }) =>
      groups.flatMap((group) => findingOf(this.#plan, index, group, agreeing(index, group), owners, wanted)),
    )
  }
}

export interface EntryPair {
  readonly expected: readonly SalvagedValue[]
  readonly actual: readonly SalvagedValue[]
}

/** What is wanted beside the findings. */
export interface Wanted {
  /** Told of the pages of all entries that are wrong; null where nobody wants a map. */
  readonly places: BadPlaces | null
  /** Whether the findings tell what the entries hold beside keys. */
  readonly showValues: boolean
}

export const nothingMore: Wanted = { places: null, showValues: false }

/** Rows or entries of one index of which the same is to be said. */
interface Group {
  readonly rule: 'row-missing-from-index' | 'entry-without-row' | 'entry-differs-from-row'
  readonly named: readonly Named[]
  /** More than are named where there were too many to name. */
  readonly total: number
}

/** A row that is missing and an entry that is too many, both naming the same row, are one entry that differs. */
function groupsOf(index: IndexPlan, { left, missing, extra }: OfIndex, namer: Namer): readonly Group[] {
  const rows = new Map<string, Named[]>()
  const without: Named[] = []
  const differing: Named[] = []
  for (const one of left.filter(({ sign }) => sign === 1)) {
    const named = namer.name(index, one)
    const id = JSON.stringify(named.key)
    const same = rows.get(id)
    if (same) same.push(named)
    else rows.set(id, [named])
  }
  for (const one of left.filter(({ sign }) => sign === -1)) {
    const named = namer.name(index, one)
    const id = JSON.stringify(named.key)
    const same = rows.get(id)
    if (same === undefined) {
      without.push(named)
      continue
    }
    differing.push(named)
    same.pop()
    if (same.length === 0) rows.delete(id)
  }
  const differ = differing.length
  const groups: readonly Group[] = [
    { rule: 'row-missing-from-index', named: [...rows.values()].flat(), total: missing - differ },
    { rule: 'entry-without-row', named: without, total: extra - differ },
    { rule: 'entry-differs-from-row', named: differing, total: differ },
  ]
  return groups.filter(({ total }) => total > 0)
}

/**
 * Indexes that say the same of the same row of their table, looked for among all rows and not among the few that a
 * finding names. Which indexes say a thing is kept as the number of a set, because there are as many sayings as rows,
 * and few sets.
 */
function agreeingOf(
  told: readonly { readonly index: IndexPlan; readonly groups: readonly Group[] }[],
): (index: IndexPlan, group: Group) => readonly string[] {
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
  const saidBy = new Map<string, number>()
  const sayingOf = (index: IndexPlan, rule: Group['rule'], key: RowKey): string =>
    JSON.stringify([index.table, rule, key])
  for (const { index, groups } of told) {
    for (const { rule, named } of groups) {
      for (const { key } of named) {
        if (key === null) continue
        const saying = sayingOf(index, rule, key)
        saidBy.set(saying, withName(saidBy.get(saying) ?? 0, index.object.name))
      }
    }
  }
  return (index, { rule, named }) => {
    const found = new Set(named.map(({ key }) => (key === null ? 0 : (saidBy.get(sayingOf(index, rule, key)) ?? 0))))
    return [...new Set([...found].flatMap((set) => sets[set] ?? []))]
      .filter((name) => name !== index.object.name)
      .toSorted()
  }
}

function findingOf(
  plan: CensusPlan,
  index: IndexPlan,
  group: Group,
  agreeing: readonly string[],
  owners: PageOwners,
  { places, showValues }: Wanted,
): readonly Finding[] {
  const { rule, total } = group
  const named = group.named
    .flatMap(({ key, values }) => (key === null ? [] : [{ key, values }]))
    .toSorted((a, b) => compareRowKeys(a.key, b.key))
  // The page of a row that is missing is one of the table, with which nothing is wrong.
  const pages =
    rule === 'row-missing-from-index'
      ? []
      : group.named
          .map(({ page }) => page)
          .filter((page) => page > 0)
          .toSorted((a, b) => a - b)
  const page = pages[0] ?? 0
  if (places) for (const wrong of pages) places.add('disagreeing', wrong, rule, index.object)
  const salvage =
    rule === 'row-missing-from-index'
      ? undefined
      : salvageFrom(salvageableOf(plan, index), total, showValues ? named : null)
  return [
    {
      rule,
      severity: 'damage',
      source: 'census',
      object: index.object,
      rows: named.slice(0, rowsMax).map(({ key }) => key),
      total,
      ...(page === 0 ? {} : { page, trail: trailTo(owners, page) }),
      ...(agreeing.length === 0 ? {} : { agreeing }),
      ...(salvage === undefined ? {} : { salvage }),
      text: textOf(rule, total, index),
    },
  ]
}

function textOf(rule: Group['rule'], total: number, { object }: IndexPlan): string {
  const table = object.table ?? ''
  switch (rule) {
    case 'row-missing-from-index':
      return `${count(total, 'row')} of ${table} ${total === 1 ? 'is' : 'are'} missing from index ${object.name}`
    case 'entry-without-row':
      return (
        `${count(total, 'entry', 'entries')} of index ${object.name} ` +
        `${total === 1 ? 'has' : 'have'} no row in ${table}`
      )
    case 'entry-differs-from-row':
      return (
        `${count(total, 'entry', 'entries')} of index ${object.name} ` +
        `${total === 1 ? 'differs' : 'differ'} from the row in ${table}`
      )
  }
}

/** Reads the names of rows from the cells that were left over. */
class Namer {
  readonly #plan: CensusPlan
  readonly #cells: CellReader
  readonly #columns: Columns
  #salvageBytesLeft: number

  constructor(plan: CensusPlan, source: PageSource, showValues: boolean) {
    this.#plan = plan
    this.#salvageBytesLeft = showValues ? salvageBytesMax : 0
    this.#cells = new CellReader(plan, source)
    this.#columns = new Columns(
      Math.max(1, ...plan.trees.map((tree) => (tree.kind === 'index' ? tree.parts.length : tree.columns.length))),
    )
  }

  name(index: IndexPlan, { sign, page, cell, values }: Leftover): Named {
    const table = this.#plan.trees[index.table]
    const isRowid = table?.kind === 'rowid-table'
    const columns = this.#columns
    if (values !== null) {
      columns.take(values)
      return { key: identityKey(columns, index.identity, this.#plan.encoding, isRowid), page: 0, values: null }
    }
    if (!this.#cells.find(page, cell)) return { key: null, page, values: null }
    if (sign === 1 && isRowid)
      return { key: rowidKey(this.#cells.cell.rowLow, this.#cells.cell.rowHigh), page, values: null }
    const wanted = sign === 1 && table?.kind === 'keyed-table' ? table.key.length : index.parts.length
    const max = sign === 1 && table?.kind === 'keyed-table' ? table.columns.length : index.parts.length
    if (!this.#cells.load(columns, wanted, max)) return { key: null, page, values: null }
    const identity = sign === 1 && table?.kind === 'keyed-table' ? table.key.map((_, i) => i) : index.identity
    const { encoding } = this.#plan
    return {
      key: identityKey(columns, identity, encoding, isRowid),
      page,
      values: sign === -1 ? this.#salvage(index) : null,
    }
  }

  /** All values of the entry that was named last. */
  partsOf({ parts }: IndexPlan): readonly SalvagedValue[] {
    return valuesAt(this.#columns, [...parts.keys()], this.#plan.encoding)
  }

  /**
   * What the entry that was decoded last holds beside its key. Whole or not at all: what was cut would be put back cut.
   */
  #salvage(index: IndexPlan): readonly SalvagedValue[] | null {
    if (this.#salvageBytesLeft <= 0) return null
    const values = valuesAt(this.#columns, salvageableOf(this.#plan, index).positions, this.#plan.encoding)
    this.#salvageBytesLeft -= JSON.stringify(values).length
    return this.#salvageBytesLeft < 0 ? null : values
  }
}
