/** Child side: writes the facts of a salvage (repair/salvage/facts.ts). */
import Database from 'better-sqlite3'
import { kinds, type Columns } from '../../../../census/record/columns.ts'
import { integerKey, listedBytesMax, primaryKey } from '../../../../census/record/row-key.ts'
import type { DroppedEntry } from '../../../../model/result/account.ts'
import type { RowKey } from '../../../../model/result/finding.ts'
import { factsSchema, type KeyKind } from '../../facts.ts'
import { keptKey, type Key } from '../read/keys.ts'
import type { StoredValue } from '../read/record-header.ts'
import type { TreeShape } from '../read/shape.ts'
import { bound, BoundValues } from './bound-values.ts'

/** Rowids that lie in no readable page, both included. */
const rowidMin = -(1n << 63n)
const rowidMax = (1n << 63n) - 1n

const encodings = ['UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'] as const

/** What became of the rows of one table. */
interface TableCounts {
  orphaned: number
  doubted: number
  unreadable: number
  fromIndex: number
  lostRanges: number
  readonly pages: number[]
}

const countOf = {
  orphaned: 'orphaned',
  doubted: 'doubted',
  unreadable: 'unreadable',
  'from-index': 'fromIndex',
} as const satisfies Record<KeyKind, keyof TableCounts>

interface KeyRange {
  readonly low: Key | null
  readonly high: Key | null
}

/** Lost ranges of a table WITHOUT ROWID that are kept in memory. Rows in others are not rebuilt from indexes. */
const keyRangesMax = 20_000

/** Bytes of an entry with its values. Of a longer one only the key is listed. */
const entryBytesMax = 32_000_000

/** Pages of a table that are listed in the answer to the parent. */
const pagesListedMax = 100

export class FactsFile implements Disposable {
  readonly db: Database.Database
  readonly #counts = new Map<number, TableCounts>()
  readonly #keyed = new Map<number, BoundValues>()
  readonly #lostKeyed = new Map<number, BoundValues>()
  readonly #keyRanges = new Map<number, KeyRange[]>()
  readonly #insertKey: Database.Statement
  readonly #insertRange: Database.Statement
  readonly #findKey: Database.Statement<[number, KeyKind, string], number>
  readonly #insertDropped: Database.Statement

  constructor(path: string, encoding: number) {
    this.db = new Database(path)
    this.db.exec(
      `PRAGMA encoding="${encodings[encoding] ?? 'UTF-8'}"; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; ` +
        `PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; PRAGMA temp_store=FILE; ` +
        `${factsSchema}; CREATE INDEX keys_key ON keys(table_id, key); ` +
        'CREATE INDEX lost_rowids_high ON lost_rowids(table_id, high, low); BEGIN',
    )
    this.#insertKey = this.db.prepare(
      'INSERT INTO keys(table_id, kind, rowid_, key, page, why) VALUES(?, ?, ?, ?, ?, ?)',
    )
    this.#insertRange = this.db.prepare('INSERT INTO lost_rowids VALUES(?, ?, ?, ?, ?)')
    this.#findKey = this.db
      .prepare<[number, KeyKind, string], number>('SELECT rowid FROM keys WHERE table_id = ? AND kind = ? AND key = ?')
      .pluck()
    this.#insertDropped = this.db.prepare('INSERT INTO dropped VALUES(?, ?)')
  }

  addTable(shape: TreeShape): void {
    const keyed = shape.kind === 'keyed-table'
    this.#counts.set(shape.id, { orphaned: 0, doubted: 0, unreadable: 0, fromIndex: 0, lostRanges: 0, pages: [] })
    this.db.prepare('INSERT INTO tables VALUES(?, ?, ?, 0, 0)').run(shape.id, shape.name, Number(keyed))
    if (!keyed) return
    const names = (letter: string): string => shape.key.map((_, i) => `${letter}${i}`).join(', ')
    this.db.exec(
      `CREATE TABLE keys_${shape.id}(id INTEGER PRIMARY KEY, ${names('k')}); CREATE TABLE lost_${shape.id}(` +
        `id INTEGER PRIMARY KEY, low INTEGER, high INTEGER, ${names('l')}, ${names('h')})`,
    )
    this.#keyed.set(shape.id, new BoundValues(this.db, `INSERT INTO keys_${shape.id} VALUES`, 1 + shape.key.length))
    const columns = 3 + 2 * shape.key.length
    this.#lostKeyed.set(shape.id, new BoundValues(this.db, `INSERT INTO lost_${shape.id} VALUES`, columns))
  }

  /** @param key as the cell or the index entry has it @returns the number of the key in the facts */
  addKey(shape: TreeShape, kind: KeyKind, key: Key, page: number | null, why: string): bigint {
    this.countsOf(shape)[countOf[kind]]++
    const rowid = typeof key === 'bigint' ? key : null
    const { lastInsertRowid } = this.#insertKey.run(shape.id, kind, rowid, listedKey(shape, key), page, why)
    const id = BigInt(lastInsertRowid)
    if (typeof key !== 'bigint') this.#keyed.get(shape.id)?.run([bound(id), ...columnsBound(key, shape.key.length)])
    return id
  }

  /**
   * @param low excluded @param high included for rowids, else excluded; null: no bound
   * @param known the keys of all of its rows are in the facts
   */
  addLostRange(shape: TreeShape, low: Key | null, high: Key | null, page: number, known = false): void {
    if (shape.kind === 'rowid-table') {
      const from = typeof low === 'bigint' ? low + 1n : rowidMin
      const to = typeof high === 'bigint' ? high : rowidMax
      if (from > to) return
      this.#insertRange.run(shape.id, from, to, page, Number(known))
      this.countsOf(shape).lostRanges++
      return
    }
    const ranges = this.#keyRanges.get(shape.id) ?? []
    this.#keyRanges.set(shape.id, ranges)
    if (ranges.length < keyRangesMax) ranges.push({ low: low && keptKey(low), high: high && keptKey(high) })
    const [from, to] = [typeof low === 'bigint' ? null : low, typeof high === 'bigint' ? null : high]
    const json = (key: Columns | null): string | null => key && JSON.stringify(shownKey(shape, key))
    const { lastInsertRowid } = this.db
      .prepare('INSERT INTO lost_keys VALUES(?, ?, ?, ?, ?)')
      .run(shape.id, json(from), json(to), page, Number(known))
    const none = shape.key.map(() => bound(null))
    const of = (key: Columns | null): ReturnType<typeof bound>[] =>
      key === null ? none : columnsBound(key, shape.key.length)
    const flags = [bound(BigInt(from !== null)), bound(BigInt(to !== null))]
    this.#lostKeyed.get(shape.id)?.run([bound(BigInt(lastInsertRowid)), ...flags, ...of(from), ...of(to)])
    this.countsOf(shape).lostRanges++
  }

  /** The number of a key that the facts have; null if they do not. */
  numberOf(shape: TreeShape, kind: KeyKind, key: Key): bigint | null {
    const id = this.#findKey.get(shape.id, kind, listedKey(shape, key))
    return id === undefined ? null : BigInt(id)
  }

  forget(shape: TreeShape, kind: KeyKind, key: Key): void {
    const id = this.numberOf(shape, kind, key)
    if (id === null) return
    this.db.prepare('DELETE FROM keys WHERE rowid = ?').run(id)
    if (typeof key !== 'bigint') this.db.prepare(`DELETE FROM keys_${shape.id} WHERE id = ?`).run(id)
    this.countsOf(shape)[countOf[kind]]--
  }

  /**
   * An entry of an index that no row of the new file agrees with.
   * @param key null if it names no row @param values of `columns`
   */
  addDropped(
    shape: TreeShape,
    key: Key | null,
    index: string,
    columns: readonly string[],
    values: DroppedEntry['values'],
  ): void {
    const shown = key === null ? null : shownKey(shape, key, listedBytesMax)
    const entry = JSON.stringify({ index, key: shown, columns, values })
    this.#insertDropped.run(
      shape.id,
      Buffer.byteLength(entry) <= entryBytesMax
        ? entry
        : JSON.stringify({ index, key: shown, columns: [], values: [] }),
    )
  }

  addPage(shape: TreeShape, page: number, why: string): void {
    if (page === 0) return
    this.db.prepare('INSERT INTO pages VALUES(?, ?, ?)').run(shape.id, page, why)
    const { pages } = this.countsOf(shape)
    if (pages.length < pagesListedMax && !pages.includes(page)) pages.push(page)
  }

  /** A value that an index holds of a row that is not in the new file. */
  addKnown(shape: TreeShape, key: bigint, cid: number, value: StoredValue, isText: boolean): void {
    const cast = isText ? 'CAST(? AS TEXT)' : '?'
    this.db.prepare(`INSERT INTO known VALUES(?, ?, ?, ${cast})`).run(shape.id, key, cid, value)
  }

  /** A virtual table of which rows were lost. @param lost those that are known, and what is known of each */
  addVirtualTable(name: string, rows: number, lost: readonly { readonly rowid: bigint; readonly why: string }[]): void {
    const id = this.#nextId()
    this.db.prepare('INSERT INTO tables VALUES(?, ?, 0, ?, 0)').run(id, name, rows)
    this.#insertRange.run(id, rowidMin, rowidMax, null, 0)
    for (const { rowid, why } of lost)
      this.#insertKey.run(id, 'unreadable', rowid, JSON.stringify(integerKey(rowid)), null, why)
  }

  /** A table that the salvage made for rows of this one. */
  addMade(name: string, id: number): void {
    this.db.prepare('INSERT INTO made VALUES(?, ?)').run(name, id)
  }

  /** The table that was made for rows that fit no table. @returns its id */
  addUnknownTable(name: string): number {
    const id = this.#nextId()
    this.db.prepare('INSERT INTO tables VALUES(?, ?, 0, 0, 0)').run(id, name)
    this.addMade(name, id)
    return id
  }

  addUnknownRow(id: number, rowid: bigint, page: number): void {
    const why = 'it looks like a row of no table'
    this.#insertKey.run(id, 'orphaned', rowid, JSON.stringify(integerKey(rowid)), page, why)
  }

  endTable(shape: TreeShape, rows: number, complete: boolean): void {
    this.db.prepare('UPDATE tables SET rows = ?, complete = ? WHERE id = ?').run(rows, Number(complete), shape.id)
  }

  #nextId(): number {
    return this.db.prepare<[], number>('SELECT coalesce(max(id), 0) + 1 FROM tables').pluck().get() ?? 1
  }

  countsOf(shape: TreeShape): TableCounts {
    const counts = this.#counts.get(shape.id)
    if (counts === undefined) throw new Error(`${shape.name} is not in the facts`)
    return counts
  }

  /** Of a table WITHOUT ROWID. */
  lostKeyRanges(shape: TreeShape): readonly KeyRange[] {
    return this.#keyRanges.get(shape.id) ?? []
  }

  /** True if some row of the table may be missing that is not known by its key. */
  hasLostRanges(shape: TreeShape): boolean {
    return this.countsOf(shape).lostRanges > 0
  }

  end(): void {
    this.db.exec('COMMIT; CREATE INDEX keys_table ON keys(table_id); CREATE INDEX pages_table ON pages(table_id, page)')
  }

  [Symbol.dispose](): void {
    this.db.close()
  }
}

function shownKey(shape: TreeShape, key: Key, bytesMax?: number): RowKey {
  return typeof key === 'bigint'
    ? integerKey(key)
    : primaryKey(
        key,
        shape.key.map((_, i) => i),
        shape.encoding,
        bytesMax,
      )
}

/** The complete key, as an account lists it: rows whose keys begin alike are different rows. */
const listedKey = (shape: TreeShape, key: Key): string => JSON.stringify(shownKey(shape, key, listedBytesMax))

/** The exact values of a key. A real that is a whole number may come as an integer, which SQLite takes for equal. */
function columnsBound(key: Columns, count: number): ReturnType<typeof bound>[] {
  return Array.from({ length: count }, (_, i) => {
    switch (key.kind[i]) {
      case kinds.integer:
        return bound(key.integerAt(i))
      case kinds.real:
        return bound(key.numberAt(i))
      case kinds.text:
        return bound(key.bytesAt(i), true)
      case kinds.blob:
        return bound(key.bytesAt(i))
      default:
        return bound(null)
    }
  })
}
