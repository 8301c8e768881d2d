/**
 * A scan reads consecutive pages in the order of the file, and adds what they hold to a tally. Several scans may share
 * the work by page ranges. A scan skips invalid pages: the page accounting, which reads all pages, reports them.
 */

import { invariant } from '../../model/bug.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { CompiledCore } from '../fast/compiled-core.ts'
import { FastCounter, pieceBytesOf } from '../fast/fast-counter.ts'
import type { CensusPlan } from '../plan.ts'
import { CellCursor } from '../record/cell-cursor.ts'
import { Payloads } from '../record/payload.ts'
import type { ScanWindow } from '../record/payload.ts'
import { Records } from '../record/records.ts'
import type { PageOwners } from './page-owners.ts'
import type { EntrySink, ScanContext } from './scan-context.ts'
import { ScanEntries } from './scan-entries.ts'
import { ScanRows } from './scan-rows.ts'
import { Separators } from './separators.ts'
import { addEntry, note } from './tally.ts'
import type { CensusTally } from './tally.ts'

interface ScanOptions {
  /** True if the content of tables goes into their digests. It takes about a third of the time. */
  readonly content: boolean
  /** The trees to scan, as positions in the plan; null for all. */
  readonly only: ReadonlySet<number> | null
  /** Takes the fingerprints; null if they go into the sums of the tally. */
  readonly sink: EntrySink | null
  /**
   * Counts plain pages, in less than half the time and to the same sums. It always counts everything. null if
   * JavaScript is to count all pages.
   */
  readonly core: CompiledCore | null
}

/** Options that add the contents and entries of all trees to the sums. */
export const everything = (core: CompiledCore | null): ScanOptions => ({ content: true, only: null, sink: null, core })

export class Scanner {
  readonly #plan: CensusPlan
  readonly #owners: PageOwners
  readonly #tally: CensusTally
  readonly #only: ReadonlySet<number> | null
  readonly #window: ScanWindow = { bytes: new Uint8Array(0), firstPage: 0, pageCount: 0 }
  readonly #cell: CellCursor
  readonly #rows: ScanRows
  readonly #entries: ScanEntries
  readonly #separators: Separators
  readonly #fastCounter: FastCounter | null
  #ownPiece: Uint8Array | null = null

  /** @param source reads single pages that are not scanned now: overflow and interior pages */
  constructor(plan: CensusPlan, owners: PageOwners, source: PageSource, tally: CensusTally, options: ScanOptions) {
    this.#plan = plan
    this.#owners = owners
    this.#tally = tally
    this.#only = options.only
    this.#cell = new CellCursor(plan.usable, plan.pageSize)
    const payloads = new Payloads(plan, source, this.#window)
    const records = new Records(payloads, tally)
    const separators = new Separators(plan, owners, source)
    invariant(
      options.core === null || (options.content && options.only === null && options.sink === null),
      'the compiled core counts everything, into the sums',
    )
    this.#separators = separators
    this.#fastCounter = options.core === null ? null : new FastCounter(options.core, plan, tally.key, payloads)
    const sink: EntrySink = options.sink ?? { add: (tree, sign, low, high) => addEntry(tally, tree, sign, low, high) }
    const context: ScanContext = { plan, records, separators, sink, tally, content: options.content }
    this.#rows = new ScanRows(context)
    this.#entries = new ScanEntries(context)
  }

  /** Memory for the pages to scan, where the compiled core reads. Pages in other memory are copied to it. */
  get piece(): Uint8Array {
    return this.#fastCounter?.piece ?? (this.#ownPiece ??= new Uint8Array(pieceBytesOf(this.#plan.pageSize)))
  }

  /** Scans the complete pages in `bytes`. @param firstPage number of the first */
  scan(bytes: Uint8Array, firstPage: number): void {
    const { pageSize } = this.#plan
    const pageCount = Math.floor(bytes.length / pageSize)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#window.bytes = bytes
    this.#window.firstPage = firstPage
    this.#window.pageCount = pageCount
    const piecePages = this.#fastCounter === null ? pageCount : this.#fastCounter.piece.length / pageSize
    for (let from = 0; from < pageCount; from += piecePages) {
      const to = Math.min(pageCount, from + piecePages)
      this.#fastCounter?.take(bytes.subarray(from * pageSize, to * pageSize), firstPage + from)
      for (let i = from; i < to; i++) this.#scanPage(bytes, view, i * pageSize, firstPage + i, (i - from) * pageSize)
    }
    this.#fastCounter?.moveInto(this.#tally)
    this.#tally.scanned += pageCount
  }

  /** @param inPiece byte offset of the page in the piece of the compiled core */
  #scanPage(bytes: Uint8Array, view: DataView, start: number, page: number, inPiece: number): void {
    const tree = (this.#owners.trees[page] ?? 0) - 1
    const plan = tree < 0 ? undefined : this.#plan.trees[tree]
    if (plan === undefined || (this.#only !== null && !this.#only.has(tree))) return
    this.#tally.pages[tree] = (this.#tally.pages[tree] ?? 0) + 1
    if (
      this.#fastCounter?.count(
        tree,
        inPiece,
        page,
        this.#separators.of(page, 'left'),
        this.#separators.of(page, 'right'),
      ) === true
    )
      return
    if (!this.#cell.begin(bytes, start, page)) return
    const wanted = plan.kind === 'rowid-table' ? 'table' : 'index'
    if (this.#cell.tree !== wanted) this.#noteWrongKind(plan.object.name, tree, page)
    else if (plan.kind === 'rowid-table') this.#rows.scan(plan, tree, this.#cell, view)
    else this.#entries.scan(plan, tree, this.#cell, view)
  }

  /**
   * Notes a root page of the wrong kind. The page accounting reports pages below the root, but accepts both kinds for
   * the root of a table. The pages of the schema alone do not say which is right.
   */
  #noteWrongKind(name: string, tree: number, page: number): void {
    if (this.#owners.parents[page] !== 0) return
    note(this.#tally, {
      rule: 'page-unreadable',
      severity: 'damage',
      tree,
      page,
      rows: [],
      text: `page ${page}, the root of ${name}, is of the wrong kind`,
    })
  }
}
