/**
 * Scans pages of indexes and of tables WITHOUT ROWID, which are indexes that hold whole rows. Both leaves and interior
 * pages of these trees hold entries.
 */

import type { RowKey } from '../../model/result/finding.ts'
import { count } from '../../text/count.ts'
import type { IndexPlan, KeyedTablePlan, KeyPart } from '../plan.ts'
import { CellCursor } from '../record/cell-cursor.ts'
import { Columns, kinds } from '../record/columns.ts'
import { Fingerprint } from '../record/fingerprint.ts'
import { compareKeys } from '../record/key-order.ts'
import { identityKey } from '../record/row-key.ts'
import { addExpected, termsOf } from './expected-entries.ts'
import type { TableTerms } from './expected-entries.ts'
import { contentKey, fingerprintRow } from './row-content.ts'
import type { ScanContext } from './scan-context.ts'
import type { Separator } from './separators.ts'
import { addContent, note } from './tally.ts'
import type { Note } from './tally.ts'

/** What is the same for all entries of a tree. Made once for a tree. */
interface EntryTerms {
  readonly columns: number
  readonly wanted: number
  readonly parts: readonly KeyPart[]
  readonly ordered: boolean
  /** How many of the first parts must be unique together; 0 if none. */
  readonly uniqueParts: number
  readonly identity: readonly number[]
  /** True if the last part of an entry must be a rowid. */
  readonly endsWithRowid: boolean
  readonly fingerprinted: boolean
  readonly table: TableTerms | null
}

export class ScanEntries {
  readonly #context: ScanContext
  readonly #terms = new Map<number, EntryTerms>()
  /** The current entry and the one before it, in turns. */
  readonly #pair: readonly [Columns, Columns]
  readonly #separatorEntry: Columns
  readonly #separatorCell: CellCursor
  readonly #print: Fingerprint
  readonly #contentPrint = new Fingerprint(contentKey)

  constructor(context: ScanContext) {
    const { plan, tally } = context
    this.#context = context
    const columns = Math.max(
      1,
      ...plan.trees.map((tree) =>
        tree.kind === 'rowid-table' ? 0 : tree.kind === 'index' ? tree.parts.length : tree.columns.length,
      ),
    )
    this.#pair = [new Columns(columns), new Columns(columns)]
    this.#separatorEntry = new Columns(columns)
    this.#separatorCell = new CellCursor(plan.usable, plan.pageSize)
    this.#print = new Fingerprint(tally.key)
  }

  scan(object: IndexPlan | KeyedTablePlan, tree: number, cell: CellCursor, view: DataView): void {
    const terms = this.#termsOf(object, tree)
    const { encoding } = this.#context.plan
    let [entry, before] = this.#pair
    let known = false
    if (terms.ordered && this.#load(this.#context.separators.of(cell.page, 'left'), terms)) {
      known = true
      before = this.#separatorEntry
    }
    let bytes = 0
    let entries = 0
    const key = (): readonly RowKey[] => []
    for (let i = 0; i < cell.cellCount; i++) {
      if (!cell.read(i)) continue
      bytes += cell.payloadBytes
      entries++
      if (
        !this.#context.records.load(cell, view, entry, terms.wanted, terms.columns, tree, key) ||
        !this.#isWhole(terms, entry, tree, cell)
      ) {
        known = false
        continue
      }
      if (terms.fingerprinted) this.#addActual(terms, entry, tree, cell.page, i)
      if (terms.table !== null) this.#addRow(terms.table, entry, tree, cell.page, i)
      if (!terms.ordered) continue
      if (known) this.#compare(object, terms, before, entry, entry, tree, cell.page, encoding)
      known = true
      const next = before === this.#separatorEntry ? (entry === this.#pair[0] ? this.#pair[1] : this.#pair[0]) : before
      before = entry
      entry = next
    }
    if (
      known &&
      terms.ordered &&
      cell.cellCount > 0 &&
      before !== this.#separatorEntry &&
      this.#load(this.#context.separators.of(cell.page, 'right'), terms)
    ) {
      this.#compare(object, terms, before, this.#separatorEntry, before, tree, cell.page, encoding)
    }
    this.#context.tally.entries[tree] = (this.#context.tally.entries[tree] ?? 0) + entries
    this.#context.tally.bytes[tree] = (this.#context.tally.bytes[tree] ?? 0) + bytes
  }

  /**
   * False, and a note, if columns are missing. An entry of an index must have all columns. A row may be older than the
   * last columns of its table, but must have its key.
   */
  #isWhole(terms: EntryTerms, entry: Columns, tree: number, cell: CellCursor): boolean {
    const failure =
      terms.table === null
        ? entry.count !== terms.columns
          ? `has ${count(entry.count, 'column')} instead of ${terms.columns}`
          : terms.endsWithRowid && entry.kind[entry.count - 1] !== kinds.integer
            ? 'does not end with a rowid'
            : null
        : entry.count < terms.parts.length
          ? `has ${count(entry.count, 'column')}, less than its key`
          : null
    if (failure === null) return true
    note(this.#context.tally, {
      rule: 'record-malformed',
      severity: 'damage',
      tree,
      page: cell.page,
      rows: [],
      text: `a record on page ${cell.page} ${failure}`,
    })
    return false
  }

  #addActual(terms: EntryTerms, entry: Columns, tree: number, page: number, cell: number): void {
    const print = this.#print
    print.begin()
    let columns = entry.count
    if (terms.endsWithRowid) {
      columns--
      print.rowid(entry.low[columns] ?? 0, entry.high[columns] ?? 0)
    }
    for (let k = 0; k < columns; k++) print.column(entry, k)
    print.end()
    this.#context.sink.add(tree, -1, print.low, print.high, page, cell)
  }

  #addRow(table: TableTerms, row: Columns, tree: number, page: number, cell: number): void {
    if (table.indexes.length > 0) {
      this.#print.begin()
      this.#print.mark()
      addExpected(table, row, row, this.#print, this.#context.sink, page, cell)
    }
    if (!this.#context.content) return
    fingerprintRow(table, row, this.#contentPrint)
    addContent(this.#context.tally, tree, this.#contentPrint.low, this.#contentPrint.high)
  }

  /** Compares neighbours. @param about the one that a finding names */
  #compare(
    object: IndexPlan | KeyedTablePlan,
    terms: EntryTerms,
    first: Columns,
    second: Columns,
    about: Columns,
    tree: number,
    page: number,
    encoding: 1 | 2 | 3,
  ): void {
    const order = compareKeys(first, second, terms.parts, terms.parts.length, encoding)
    if (order < 0 && (terms.uniqueParts === 0 || -order <= terms.uniqueParts)) return
    const failure = orderFailure(object, terms, first, order, `of ${object.object.name} on page ${page}`)
    if (failure === null) return
    const rows = [identityKey(about, terms.identity, encoding, terms.endsWithRowid)]
    note(this.#context.tally, { ...failure, severity: 'damage', tree, page, rows })
  }

  /** Decodes a separator into `#separatorEntry`. Notes on it are taken when its own page is scanned. */
  #load(separator: Separator | null, terms: EntryTerms): boolean {
    if (separator === null) return false
    const { interior, cell } = separator
    const cursor = this.#separatorCell
    if (!cursor.begin(interior.bytes, 0, interior.page) || !cursor.read(cell)) return false
    if (
      !this.#context.records.loadSilently(
        cursor,
        interior.view,
        this.#separatorEntry,
        terms.parts.length,
        terms.columns,
      )
    )
      return false
    return this.#separatorEntry.count >= terms.parts.length
  }

  #termsOf(object: IndexPlan | KeyedTablePlan, tree: number): EntryTerms {
    const known = this.#terms.get(tree)
    if (known) return known
    const terms = object.kind === 'index' ? this.#indexTerms(object) : this.#tableTerms(object)
    this.#terms.set(tree, terms)
    return terms
  }

  #indexTerms(index: IndexPlan): EntryTerms {
    return {
      columns: index.parts.length,
      wanted: index.parts.length,
      parts: index.parts,
      ordered: index.ordered,
      uniqueParts: index.uniqueParts,
      identity: index.identity,
      endsWithRowid: this.#context.plan.trees[index.table]?.kind === 'rowid-table',
      fingerprinted: true,
      table: null,
    }
  }

  #tableTerms(table: KeyedTablePlan): EntryTerms {
    const terms = termsOf(this.#context.plan, table, this.#context.content)
    return {
      columns: terms.max,
      wanted: terms.wanted,
      parts: table.key,
      ordered: table.ordered,
      uniqueParts: table.key.length,
      identity: table.key.map((_, i) => i),
      endsWithRowid: false,
      fingerprinted: false,
      table: terms,
    }
  }
}

/** What is wrong with two neighbours; null if they only share a key that may be shared. */
function orderFailure(
  object: IndexPlan | KeyedTablePlan,
  { uniqueParts }: EntryTerms,
  first: Columns,
  order: number,
  where: string,
): Pick<Note, 'rule' | 'text'> | null {
  if (order > 0) {
    const rule = object.kind === 'index' ? 'index-out-of-order' : 'key-out-of-order'
    return { rule, text: `an entry ${where} is out of order` }
  }
  if (object.kind === 'keyed-table')
    return { rule: 'key-out-of-order', text: `two rows ${where} have the same primary key` }
  return uniqueParts > 0 && !hasNull(first, uniqueParts)
    ? { rule: 'unique-violated', text: `two entries ${where} have the same key, which is to be unique` }
    : null
}

function hasNull(columns: Columns, count: number): boolean {
  for (let i = 0; i < count; i++) if (columns.kind[i] === kinds.null) return true
  return false
}
