/** Child side: whether the new file has the row of an index entry, and whether the page of that row is lost. */
import type Database from 'better-sqlite3'
import { Columns } from '../../../../census/record/columns.ts'
import { columnValue, typed, type TypedValue } from '../../../../check/reader/sqlite/column-value.ts'
import type { ColumnValue } from '../../../../sqlite/column-value.ts'
import type { WalkedTree } from '../read/adopt-pages.ts'
import type { Key } from '../read/keys.ts'
import type { StoredValue } from '../read/record-header.ts'
import { collationName, type TreeShape } from '../read/shape.ts'
import { BoundValues } from './bound-values.ts'
import type { SalvageContext } from './table-salvage.ts'

/** A column of a key. */
interface StoredKeyValue {
  readonly value: StoredValue
  readonly text: boolean
}

export class RowLookUp {
  readonly #to: SalvageContext
  readonly #table: WalkedTree
  readonly #shape: TreeShape
  /** Rows of a table WITHOUT ROWID are numbered. */
  readonly #numbered: NumberedKeys | null
  readonly #byRowid: Database.Statement<[bigint], number>
  readonly #nextLost: Database.Statement<[number, bigint], bigint>
  readonly #found = new Map<string, Database.Statement>()

  constructor(to: SalvageContext, table: WalkedTree) {
    this.#to = to
    this.#table = table
    const shape = (this.#shape = table.shape)
    const { db } = to.newFile
    const isRowid = shape.kind === 'rowid-table'
    this.#numbered = isRowid ? null : new NumberedKeys(to.facts.db, shape)
    this.#byRowid = db
      .prepare<[bigint], number>(isRowid ? `SELECT 1 FROM ${to.newFile.plainTable(shape)} WHERE rowid = ?` : 'SELECT ?')
      .pluck()
    this.#nextLost = to.facts.db
      .prepare<[number, bigint], bigint>(
        'SELECT low FROM lost_rowids WHERE table_id = ? AND high >= ? ORDER BY high LIMIT 1',
      )
      .pluck()
      .safeIntegers()
  }

  /** `present`: the table of the new file has the row. `no-key`: the entry names none. Else the number of the row. */
  find(identity: readonly StoredKeyValue[]): bigint | 'present' | 'no-key' {
    if (this.#numbered !== null) return this.#hasKey(identity) ? 'present' : this.#numbered.numberOf(identity)
    const rowid = identity[0]?.value
    if (typeof rowid !== 'bigint') return 'no-key'
    return this.#byRowid.get(rowid) === undefined ? rowid : 'present'
  }

  keyOf(row: bigint): Key {
    return this.#numbered === null ? row : this.#numbered.keyOf(row)
  }

  /** True if the page that would hold this row cannot be read. */
  isLost(row: bigint): boolean {
    if (this.#numbered === null) {
      const low = this.#nextLost.get(this.#shape.id, row)
      return low !== undefined && low <= row
    }
    const key = this.#numbered.keyOf(row)
    const { keys } = this.#table.walker
    return this.#to.facts.lostKeyRanges(this.#shape).some(({ low, high }) => keys.isBetween(key, low, high))
  }

  end(): void {
    this.#numbered?.end()
  }

  #hasKey(identity: readonly StoredKeyValue[]): boolean {
    const texts = identity.map(({ text }) => (text ? 't' : '-')).join('')
    let statement = this.#found.get(texts)
    if (statement === undefined) {
      const terms = identity.map(({ text }, i) => `c${i} = ${text ? 'CAST(? AS TEXT)' : '?'}${collate(this.#shape, i)}`)
      statement = this.#to.newFile.db
        .prepare(`SELECT 1 FROM ${this.#to.newFile.plainTable(this.#shape)} WHERE ${terms.join(' AND ')}`)
        .pluck()
      this.#found.set(texts, statement)
    }
    return statement.get(identity.map(({ value }) => value)) !== undefined
  }
}

/** Two spellings may be one key. */
const collate = ({ key }: TreeShape, i: number): string => ` COLLATE ${collationName(key[i]?.collation ?? 'unknown')}`

/** Numbers for keys of several columns. Spellings of one key have one number, and its key is the first of them. */
class NumberedKeys {
  readonly #db: Database.Database
  readonly #columns: number
  readonly #insert: BoundValues
  readonly #find: Database.Statement<[bigint], TypedValue[number]>

  constructor(db: Database.Database, shape: TreeShape) {
    this.#db = db
    this.#columns = shape.key.length
    const names = shape.key.map((_, i) => `k${i}`)
    const unique = names.map((name, i) => name + collate(shape, i))
    db.exec(`CREATE TEMP TABLE numbered(id INTEGER PRIMARY KEY, ${names.join(', ')}, UNIQUE(${unique.join(', ')}))`)
    this.#insert = new BoundValues(
      db,
      `INSERT INTO temp.numbered(${names.join(', ')}) VALUES`,
      names.length,
      ' ON CONFLICT DO UPDATE SET k0 = k0 RETURNING id',
    )
    this.#find = db
      .prepare<[bigint], TypedValue[number]>(`SELECT ${names.map(typed).join(', ')} FROM temp.numbered WHERE id = ?`)
      .raw()
      .safeIntegers()
  }

  numberOf(identity: readonly StoredKeyValue[]): bigint {
    const texts = identity.map(({ text }) => (text ? 't' : '-')).join('')
    return BigInt(
      this.#insert.get(
        identity.map(({ value }) => value),
        texts,
      ) as number,
    )
  }

  keyOf(id: bigint): Columns {
    const row = (this.#find.get(id) ?? []) as unknown as readonly TypedValue[1][]
    const values: ColumnValue[] = []
    for (let i = 0; i < this.#columns; i++) values.push(columnValue(String(row[2 * i]), row[2 * i + 1] ?? null))
    const columns = new Columns(this.#columns)
    columns.take(values)
    return columns
  }

  end(): void {
    this.#db.exec('DROP TABLE temp.numbered')
  }
}
