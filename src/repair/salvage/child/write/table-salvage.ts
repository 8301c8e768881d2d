/** Child side: writes the rows of one table, page by page, and notes what cannot be read. */
import Database from 'better-sqlite3'
import type { AdoptedLeaf, WalkedTree } from '../read/adopt-pages.ts'
import { CellRows, type StoredRow } from '../read/cell-rows.ts'
import type { DamagedFile } from '../read/damaged-file.ts'
import type { Key } from '../read/keys.ts'
import type { Bounds, JudgedPage } from '../read/page-cells.ts'
import type { OverflowChains } from '../read/payloads.ts'
import { columnsMin, storedOf, violationOf, type TreeShape } from '../read/shape.ts'
import type { Gap, RowPage } from '../read/walk-tree.ts'
import { BoundValues } from './bound-values.ts'
import type { FactsFile } from './facts-file.ts'
import type { NewFile } from './new-file.ts'
import type { OrphanTables } from './orphan-tables.ts'

/** Where rows come from, and where they go. */
export interface SalvageContext {
  readonly file: DamagedFile
  readonly chains: OverflowChains
  readonly newFile: NewFile
  readonly facts: FactsFile
  readonly orphans: OrphanTables
  /** Of the damaged file, in the order of the schema. */
  readonly trees: readonly WalkedTree[]
  /** Takes rows that fit no table. */
  readonly unknown: {
    /** The page has rows with more columns than these. */
    noteWider(page: number, columns: number): void
  }
}

/** Consecutive cells of a page that gave no row. */
interface LostCells {
  readonly before: Key | null
  /** The keys of those that can be read; null for the others. */
  readonly keys: (Key | null)[]
}

export class TableSalvage {
  readonly #to: SalvageContext
  readonly #tree: WalkedTree
  readonly #shape: TreeShape
  readonly #cells: CellRows
  readonly #insert: BoundValues
  /** Rows in the table. */
  written = 0

  constructor(to: SalvageContext, tree: WalkedTree) {
    this.#to = to
    this.#tree = tree
    this.#shape = tree.shape
    this.#cells = new CellRows(to.chains, tree)
    this.#insert = insertInto(to.newFile, tree.shape)
  }

  /** Yields after each page. */
  *write(): Generator<void> {
    if (!this.#tree.isCertain) return yield* this.#writeUncertain()
    const { shape, walker, walked, adopted, filled } = this.#tree
    for (const page of walker.walk('claimed', { leafDepth: null, gaps: [] })) {
      this.#writePage(page)
      yield
    }
    for (const { page, gap } of adopted) {
      const read = this.#judge(page, gap)
      if (read !== null) this.#writePage({ page, ...read, low: gap.low, high: gap.high }, true)
      yield
    }
    for (const gap of walked.gaps) {
      if (adopted.every((leaf) => leaf.gap !== gap))
        this.#to.facts.addPage(shape, gap.page, 'it cannot be read as a page of its table')
      if (!filled.has(gap)) this.#noteGap(gap)
    }
  }

  /** Writes the rows of a page that no table owns. */
  writeOrphan(page: number): void {
    const read = this.#judge(page, { low: null, high: null })
    if (read !== null) this.#orphanAll({ page, ...read }, 'no table owns its page')
  }

  /** Its rows may be those of another table, and its own rows anywhere. */
  *#writeUncertain(): Generator<void> {
    const { facts } = this.#to
    const { shape, walker, walked } = this.#tree
    for (const page of walker.walk('claimed', { leafDepth: null, gaps: [] })) {
      for (const key of this.#orphanAll(page, 'only a backup says that its page belongs to this table'))
        facts.addKey(shape, 'unreadable', key, page.page, 'its cell cannot be read')
      yield
    }
    for (const { page, depth } of walked.gaps)
      if (depth > 0) facts.addPage(shape, page, 'it cannot be read as a page of its table')
    facts.addLostRange(shape, null, null, 0)
  }

  /** @returns keys in their order of cells that give no row */
  #orphanAll({ page, bytes, judged }: Pick<RowPage, 'page' | 'bytes' | 'judged'>, why: string): readonly Key[] {
    this.#noteWider(page, judged)
    const unreadable: Key[] = []
    let before: Key | null = null
    for (const [i, state] of judged.states.entries()) {
      const row = this.#cells.read(bytes, page, i)
      const key = judged.keys[i] ?? null
      if (key === null || state === 'wider') continue
      if (row !== null) this.#orphan(page, key, row, why)
      else {
        const next = judged.keys.find((_, j) => j > i && judged.states[j] === 'good') ?? null
        if (this.#tree.walker.keys.isBetween(key, before, next)) unreadable.push(key)
      }
      if (state === 'good') before = key
    }
    return unreadable
  }

  #noteWider(page: number, { states }: JudgedPage): void {
    if (states.includes('wider')) this.#to.unknown.noteWider(page, this.#shape.columnsMax)
  }

  #judge(page: number, bounds: Bounds): { readonly bytes: Uint8Array; readonly judged: JudgedPage } | null {
    const bytes = this.#to.file.read(page)
    if (bytes === null) return null
    const { judge, keys } = this.#tree.walker
    const judged = judge.judge(this.#shape, keys, page, bytes, bounds, columnsMin(this.#shape))
    return judged === null ? null : { bytes, judged }
  }

  /** @param isAdopted what lies beside its rows is noted with the gap */
  #writePage({ page, bytes, judged, low, high }: RowPage, isAdopted = false): void {
    this.#noteWider(page, judged)
    let lost: LostCells = { before: low, keys: [] }
    for (const [i, state] of judged.states.entries()) {
      const key = judged.keys[i] ?? null
      if (state === 'wider' && key !== null) {
        this.#noteLost(lost, key, true, page)
        lost = { before: key, keys: [] }
        continue
      }
      const row = this.#cells.read(bytes, page, i)
      const doubt = row === null ? null : state === 'good' ? this.#doubtOf(row) : doubts[state]
      if (row !== null && key !== null && state === 'good' && doubt === null && this.#put(row)) {
        this.#noteLost(lost, key, true, page)
        lost = { before: key, keys: [] }
        continue
      }
      if (row !== null && key !== null) this.#orphan(page, key, row, doubt ?? 'the table has another row of this key')
      lost.keys.push(state === 'good' || state === 'unreadable' ? key : null)
    }
    this.#noteLost(lost, isAdopted && lost.keys.length > 0 ? lastKey(lost) : high, false, page)
  }

  /** Why a row that can be read cannot be in its table for sure; null if it can. */
  #doubtOf({ chain, header }: StoredRow): string | null {
    return chain === null || chain === 'whole' ? violationOf(this.#shape, header) : chainDoubts[chain]
  }

  /** False if the table has a row of this key. */
  #put({ rowid, values, texts }: StoredRow): boolean {
    const { shape } = this.#tree
    const row = rowid === null ? [...values] : [rowid, ...values]
    const front = rowid === null ? texts : `-${texts}`
    let all = front
    for (let i = values.length; i < shape.columns.length; i++) {
      const absent = shape.columns[i]?.absent ?? { kind: 'null' }
      row.push(storedOf(absent))
      all += absent.kind === 'text' ? 't' : '-'
    }
    try {
      this.#insert.runRaw(row, all)
      this.written++
      return true
    } catch (error) {
      if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')) return false
      throw error
    }
  }

  #orphan(page: number, key: Key, row: StoredRow, why: string): void {
    this.#to.orphans.add(this.#shape, page, row)
    this.#to.facts.addKey(this.#shape, 'orphaned', key, page, why)
  }

  /** @param next the next key that has a row, or the upper bound of the page */
  #noteLost({ before, keys }: LostCells, next: Key | null, isRow: boolean, page: number): void {
    if (keys.length === 0) return
    const { facts } = this.#to
    facts.addPage(this.#shape, page, 'some of its rows cannot be read')
    const order = this.#tree.walker.keys
    const upper = isRow && typeof next === 'bigint' ? next - 1n : next
    let last = before
    const known = keys.filter((key): key is Key => {
      const isInPlace = key !== null && order.isBetween(key, last, upper)
      if (isInPlace) last = key
      return isInPlace
    })
    for (const key of known) facts.addKey(this.#shape, 'unreadable', key, page, 'its cell cannot be read')
    const areKnown = known.length === keys.length
    if (!areKnown || this.#shape.kind === 'keyed-table')
      return facts.addLostRange(this.#shape, before, upper, page, areKnown)
    for (const key of known) if (typeof key === 'bigint') facts.addLostRange(this.#shape, key - 1n, key, page, true)
  }

  /** Notes the keys of a gap that lie between its adopted leaves. */
  #noteGap(gap: Gap): void {
    const { facts } = this.#to
    let low = gap.low
    for (const leaf of this.#tree.adopted.filter((one: AdoptedLeaf) => one.gap === gap && !one.isInterior)) {
      facts.addLostRange(this.#shape, low, typeof leaf.first === 'bigint' ? leaf.first - 1n : leaf.first, gap.page)
      low = leaf.last
    }
    facts.addLostRange(this.#shape, low, gap.high, gap.page)
  }
}

const doubts = {
  good: null,
  unreadable: null,
  wider: null,
  displaced: 'its key is out of place',
  doubtful: 'the cell beside it was overwritten, or overlaps it',
} as const

const chainDoubts = {
  shared: 'it shares overflow pages with another row',
  free: 'the free list has its overflow pages',
  zeroed: 'one of its overflow pages has nothing but zeros',
  'goes-on': 'its overflow chain goes on behind its end',
} as const

const lastKey = ({ before, keys }: LostCells): Key | null => keys.findLast((key) => key !== null) ?? before

/** Inserts rows into the table without types. */
export function insertInto(newFile: NewFile, shape: TreeShape): BoundValues {
  const names = shape.columns.map((_, i) => `c${i}`)
  const columns = shape.kind === 'rowid-table' ? ['rowid', ...names] : names
  const insert = `INSERT INTO ${newFile.plainTable(shape)}(${columns.join(', ')}) VALUES`
  return new BoundValues(newFile.db, insert, columns.length)
}
