/**
 * Child side: what the indexes of a table know of rows that the new file lacks. Rows whose every column is in an entry
 * are rebuilt, if the page that held them is lost. Of the others the keys and values are noted.
 */
import type Database from 'better-sqlite3'
import { columnValue, typed, type TypedValue } from '../../../../check/reader/sqlite/column-value.ts'
import { wasReadWholly, type WalkedTree } from '../read/adopt-pages.ts'
import { CellRows } from '../read/cell-rows.ts'
import type { StoredValue } from '../read/record-header.ts'
import { storedOf, type ShapeColumn, type TreeShape } from '../read/shape.ts'
import type { KnownRow } from './orphan-tables.ts'
import { RowLookUp } from './row-look-up.ts'
import { insertInto, type SalvageContext } from './table-salvage.ts'

/** An index of the table. */
interface KnownIndex {
  readonly tree: WalkedTree
  /** It has an entry for every row. */
  readonly isFull: boolean
  /** It is full, and all of it could be read. */
  isComplete: boolean
  /** In the place of a column of entries: this index has the row. */
  readonly presence: number
}

/** What entries say of missing rows. `col`: a column in storage order, or `presence` of an index. */
const entriesSchema = `
  CREATE TEMP TABLE entries(row INTEGER NOT NULL, col INTEGER NOT NULL, value, differ INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(row, col)) WITHOUT ROWID`

type DifferingColumn = readonly [col: bigint, type: string, value: TypedValue[1], differ: bigint]

export class IndexRows {
  readonly #to: SalvageContext
  readonly #table: WalkedTree
  readonly #shape: TreeShape
  readonly #indexes: readonly KnownIndex[]
  readonly #asked = new Set<KnownIndex>()

  /** @param indexes of this table, that were walked */
  constructor(to: SalvageContext, table: WalkedTree, indexes: readonly WalkedTree[]) {
    this.#to = to
    this.#table = table
    this.#shape = table.shape
    this.#indexes = indexes.map((tree, i) => {
      const isFull = tree.shape.plan?.entries === 'plain'
      return { tree, isFull, isComplete: isFull && wasReadWholly(tree), presence: -1 - i }
    })
  }

  /**
   * True if an index names every row that the table had.
   * @param agreeing indexes that have an entry for every row of the new file: one that lacks some may be an old one
   */
  isNamedWholly(agreeing: readonly WalkedTree[]): boolean {
    return this.#indexes.some(({ isComplete, tree }) => isComplete && agreeing.includes(tree))
  }

  /**
   * Asks the indexes that may know of other rows, by the number of their entries.
   * @param rows that the table of the new file has
   */
  *rebuild(rows: number): Generator<void> {
    const hasLost = this.#to.facts.hasLostRanges(this.#shape)
    yield* this.#ask(this.#indexes.filter(({ tree, isFull }) => hasLost || (isFull && tree.entries !== rows)))
  }

  /** Asks the others too: as many entries as rows may name other rows. */
  *rebuildFromOthers(): Generator<void> {
    yield* this.#ask(this.#indexes.filter((index) => index.isFull && !this.#asked.has(index)))
  }

  *#ask(indexes: readonly KnownIndex[]): Generator<void> {
    if (indexes.length === 0) return
    const { facts } = this.#to
    facts.db.exec(entriesSchema)
    const lookUp = new RowLookUp(this.#to, this.#table)
    for (const index of indexes) {
      this.#asked.add(index)
      yield* this.#collect(index, lookUp)
    }
    if (!this.#table.isCertain) this.#to.orphans.beginLookUps(this.#shape)
    yield* this.#settle(
      lookUp,
      indexes.filter(({ isComplete }) => isComplete),
    )
    if (!this.#table.isCertain) this.#to.orphans.endLookUps(this.#shape)
    facts.db.exec('DROP TABLE temp.entries')
    lookUp.end()
  }

  /** Notes what the entries of an index say of rows that the table lacks. */
  *#collect(index: KnownIndex, lookUp: RowLookUp): Generator<void> {
    const { tree, presence } = index
    const { plan } = tree.shape
    if (plan === null) return
    const { db } = this.#to.facts
    const put = (value: string): Database.Statement =>
      db.prepare(
        `INSERT INTO temp.entries(row, col, value) VALUES(?, ?, ${value}) ON CONFLICT DO UPDATE SET ` +
          'differ = differ OR value IS NOT excluded.value',
      )
    const [putText, putOther] = [put('CAST(? AS TEXT)'), put('?')]
    const note = db.prepare('INSERT OR IGNORE INTO temp.entries(row, col) VALUES(?, ?)')
    const cells = new CellRows(this.#to.chains, tree)
    for (const { page, bytes, judged } of tree.walker.walk('claimed', { leafDepth: null, gaps: [] })) {
      for (const [i, state] of judged.states.entries()) {
        const entry = state === 'good' ? cells.read(bytes, page, i) : null
        if (entry === null || (entry.chain !== null && entry.chain !== 'whole')) {
          index.isComplete = false
          continue
        }
        const named = lookUp.find(
          plan.identity.map((at) => ({ value: entry.values[at] ?? null, text: entry.texts[at] === 't' })),
        )
        if (named === 'no-key') index.isComplete = false
        if (typeof named === 'string') continue
        const row = named
        note.run(row, presence)
        for (const [at, { source }] of plan.parts.entries())
          if (source >= 0) (entry.texts[at] === 't' ? putText : putOther).run(row, source, entry.values[at] ?? null)
      }
      yield
    }
  }

  /** @param complete the complete indexes that were read: a row that one of them lacks was deleted */
  *#settle(lookUp: RowLookUp, complete: readonly KnownIndex[]): Generator<void> {
    const { facts, newFile } = this.#to
    // One at a time: a damaged table may lack millions of rows.
    const first = facts.db.prepare<[], bigint | null>('SELECT min(row) FROM temp.entries').pluck().safeIntegers()
    const next = facts.db
      .prepare<[bigint], bigint | null>('SELECT min(row) FROM temp.entries WHERE row > ?')
      .pluck()
      .safeIntegers()
    const columns = facts.db
      .prepare<[bigint], DifferingColumn>(
        `SELECT col, ${typed('value')}, differ FROM temp.entries WHERE row = ? ORDER BY col`,
      )
      .raw()
      .safeIntegers()
    const insert = insertInto(newFile, this.#shape)
    for (let row = first.get() ?? null; row !== null; row = next.get(row) ?? null) {
      const known = columns.all(row)
      const isInAll = complete.every(({ presence }) => known.some(([col]) => col === BigInt(presence)))
      const key = lookUp.keyOf(row)
      const values = isInAll && lookUp.isLost(row) ? this.#wholeRow(known) : null
      if (values === null) {
        if (!this.#isOrphaned(row, known)) this.#noteUnreadable(lookUp, row, known)
      } else {
        const all = this.#shape.kind === 'rowid-table' ? [row, ...values.values] : values.values
        insert.runRaw(all, (this.#shape.kind === 'rowid-table' ? '-' : '') + values.texts)
        facts.forget(this.#shape, 'unreadable', key)
        for (let taken = this.#takeOrphaned(row, known); taken > 0; taken--) facts.forget(this.#shape, 'orphaned', key)
        facts.addKey(this.#shape, 'from-index', key, null, 'entries of indexes hold all of its columns')
      }
      yield
    }
  }

  /** All columns of a row; null if one is not known, or entries differ. */
  #wholeRow(
    known: readonly DifferingColumn[],
  ): { readonly values: readonly StoredValue[]; readonly texts: string } | null {
    const byColumn = new Map(known.map((column) => [Number(column[0]), column]))
    const values: StoredValue[] = []
    let texts = ''
    for (const [i, column] of this.#shape.columns.entries()) {
      const [, type, value, differ] = byColumn.get(i) ?? [0n, '', null, i === this.#shape.alias ? 0n : 1n]
      if (differ !== 0n || (value === null && isNeeded(column, i, this.#shape))) return null
      values.push(value === null ? null : storedOf(columnValue(type, value)))
      texts += type === 'text' ? 't' : '-'
    }
    return { values, texts }
  }

  /** True if the tree at a root page that is not certain has a row of this key, and no entry contradicts it. */
  #isOrphaned(row: bigint, known: readonly DifferingColumn[]): boolean {
    return !this.#table.isCertain && this.#to.orphans.has(this.#shape, this.#knownRow(row, known))
  }

  /** @returns how many such rows were deleted, because the row is in the table now */
  #takeOrphaned(row: bigint, known: readonly DifferingColumn[]): number {
    return this.#table.isCertain ? 0 : this.#to.orphans.take(this.#shape, this.#knownRow(row, known))
  }

  #knownRow(row: bigint, known: readonly DifferingColumn[]): KnownRow {
    const values = known.flatMap(([col, type, value, differ]) =>
      col < 0n || differ !== 0n
        ? []
        : [{ at: Number(col), value: storedOf(columnValue(type, value)), isText: type === 'text' }],
    )
    return { rowid: this.#shape.kind === 'rowid-table' ? row : null, values }
  }

  #noteUnreadable(lookUp: RowLookUp, row: bigint, known: readonly DifferingColumn[]): void {
    const { facts } = this.#to
    const key = lookUp.keyOf(row)
    const why = lookUp.isLost(row)
      ? 'an index names it, and the page of its row is lost'
      : 'an index names it, and the page where its row should be has none'
    const id = facts.numberOf(this.#shape, 'unreadable', key) ?? facts.addKey(this.#shape, 'unreadable', key, null, why)
    for (const [col, type, value, differ] of known) {
      const column = col < 0n ? undefined : this.#shape.columns[Number(col)]
      if (column !== undefined && differ === 0n)
        facts.addKnown(this.#shape, id, column.cid, storedOf(columnValue(type, value)), type === 'text')
    }
  }
}

const isNeeded = ({ notNull }: ShapeColumn, i: number, { alias, kind, key }: TreeShape): boolean =>
  i !== alias && (notNull || (kind === 'keyed-table' && i < key.length))
