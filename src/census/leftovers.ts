/** What the second look left over, and the findings that it comes to. */
import type { Finding, RowKey } from '../model/finding.ts'
import type { BadPlaces } from '../sqlite/accounting/bad-places.ts'
import type { PageSource } from '../sqlite/accounting/page-source.ts'
import { CellCursor } from './cell-cursor.ts'
import type { ColumnValue } from './column-value.ts'
import { Columns } from './columns.ts'
import type { PageOwners } from './owners.ts'
import { trailTo } from './owners.ts'
import { Payloads } from './payload.ts'
import type { CensusPlan, IndexPlan } from './plan.ts'
import { Records } from './records.ts'
import { identityKey, rowidKey } from './row-key.ts'

/** Entries that are told which row they name; of more only the number is given. */
const namedMax = 200_000
/** Rows or keys that one finding names. */
const rowsMax = 20

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
}

export class Leftovers {
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

  findings(owners: PageOwners, source: PageSource, places: BadPlaces | null): readonly Finding[] {
    const namer = new Namer(this.#plan, source)
    return [...this.#indexes].toSorted(([a], [b]) => a - b).flatMap(([tree, index]) => findingsOf(this.#plan.trees[tree] as IndexPlan, index, namer, owners, places))
  }
}

/** A row that is missing and an entry that is too many, both naming the same row, are one entry that differs. */
function findingsOf(index: IndexPlan, { left, missing, extra }: OfIndex, namer: Namer, owners: PageOwners, places: BadPlaces | null): readonly Finding[] {
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
  const { name } = index.object
  const table = index.object.table ?? ''
  const found = (rule: 'row-missing-from-index' | 'entry-without-row' | 'entry-differs-from-row', named: readonly Named[], total: number, text: string): readonly Finding[] => {
    if (total === 0) return []
    // The page of a row that is missing is one of the table, with which nothing is wrong.
    const pages = rule === 'row-missing-from-index' ? [] : named.map(({ page }) => page).filter((page) => page > 0).toSorted((a, b) => a - b)
    const page = pages[0] ?? 0
    if (places) for (const wrong of pages) places.add('disagreeing', wrong, rule, index.object)
    return [{
      rule, severity: 'damage', source: 'census', object: index.object, rows: named.flatMap(({ key }) => (key === null ? [] : [key])).toSorted(compareRowKeys).slice(0, rowsMax), total,
      ...(page === 0 ? {} : { page, trail: trailTo(owners, page) }), text,
    }]
  }
  const differ = differing.length
  return [
    ...found('row-missing-from-index', [...rows.values()].flat(), missing - differ, `${count(missing - differ, 'row', 'rows')} of ${table} ${missing - differ === 1 ? 'is' : 'are'} missing from index ${name}`),
    ...found('entry-without-row', without, extra - differ, `${count(extra - differ, 'entry', 'entries')} of index ${name} ${extra - differ === 1 ? 'has' : 'have'} no row in ${table}`),
    ...found('entry-differs-from-row', differing, differ, `${count(differ, 'entry', 'entries')} of index ${name} ${differ === 1 ? 'differs' : 'differ'} from the row in ${table}`),
  ]
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`

function compareRowKeys(a: RowKey, b: RowKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const x = JSON.stringify(a)
  const y = JSON.stringify(b)
  return x < y ? -1 : x > y ? 1 : 0
}

/** Reads the names of rows from the cells that were left over. */
class Namer {
  readonly #plan: CensusPlan
  readonly #source: PageSource
  readonly #records: Records
  readonly #cell: CellCursor
  readonly #columns: Columns
  readonly #page: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(plan: CensusPlan, source: PageSource) {
    this.#plan = plan
    this.#source = source
    this.#records = new Records(new Payloads(plan, source, { bytes: new Uint8Array(0), firstPage: 0, pageCount: 0 }), null)
    this.#cell = new CellCursor(plan.usable, plan.pageSize)
    this.#columns = new Columns(Math.max(1, ...plan.trees.map((tree) => (tree.kind === 'index' ? tree.parts.length : tree.columns.length))))
    this.#page = new Uint8Array(plan.pageSize)
    this.#view = new DataView(this.#page.buffer)
  }

  name(index: IndexPlan, { sign, page, cell, values }: Leftover): Named {
    const table = this.#plan.trees[index.table]
    const isRowid = table?.kind === 'rowid-table'
    const columns = this.#columns
    if (values !== null) {
      columns.take(values)
      return { key: identityKey(columns, index.identity, this.#plan.encoding, isRowid), page: 0 }
    }
    if (!this.#turnTo(page) || !this.#cell.read(cell)) return { key: null, page }
    if (sign === 1 && isRowid) return { key: rowidKey(this.#cell.rowLow, this.#cell.rowHigh), page }
    const wanted = sign === 1 && table?.kind === 'keyed-table' ? table.key.length : index.parts.length
    const max = sign === 1 && table?.kind === 'keyed-table' ? table.columns.length : index.parts.length
    if (!this.#records.loadAgain(this.#cell, this.#view, columns, wanted, max)) return { key: null, page }
    const identity = sign === 1 && table?.kind === 'keyed-table' ? table.key.map((_, i) => i) : index.identity
    return { key: identityKey(columns, identity, this.#plan.encoding, isRowid), page }
  }

  #turnTo(page: number): boolean {
    if (this.#at !== page) {
      const got = this.#source.read(page, this.#page)
      if (got === 'unread') return false
      this.#page.fill(0, got)
      this.#at = page
    }
    return this.#cell.begin(this.#page, 0, page)
  }
}
