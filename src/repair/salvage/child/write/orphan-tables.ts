/** Child side: the tables of the new file for rows that are in no table (`holdfast_orphaned_TABLE`). */
import type Database from 'better-sqlite3'
import { foldedName } from '../../../../check/reader/schema/sql-tokens.ts'
import { quoteName } from '../../../../check/reader/sqlite/open-database.ts'
import type { StoredRow } from '../read/cell-rows.ts'
import { tableColumnsMax } from '../read/page-cells.ts'
import type { StoredValue } from '../read/record-header.ts'
import type { TreeShape } from '../read/shape.ts'
import { BoundValues } from './bound-values.ts'
import type { NewFile } from './new-file.ts'

const prefix = 'holdfast_orphaned'

interface OrphanTable {
  readonly name: string
  readonly insert: BoundValues
  /** How many of the page and the rowid stand before the other columns: the rowid comes last. */
  readonly front: number
  /** Names of the columns behind the page and the rowid. */
  readonly columns: readonly string[]
  /** Position of the INTEGER PRIMARY KEY; -1 if the rowid has a column of its own. */
  readonly alias: number
  /**
   * Name of the column with the rowid; of a table WITHOUT ROWID, of the first column of its key. Null if there was no
   * room for a column with the rowid.
   */
  readonly key: string | null
}

/** What is known of a row: its rowid, null in tables WITHOUT ROWID, and some of its columns in storage order. */
export interface KnownRow {
  readonly rowid: bigint | null
  readonly values: readonly { readonly at: number; readonly value: StoredValue; readonly isText: boolean }[]
}

/** While rows are written, nothing else has such a name. */
const lookUpIndex = 'holdfast_look_up'

export class OrphanTables {
  readonly #file: NewFile
  readonly #names: Set<string>
  readonly #tables = new Map<number, OrphanTable>()
  readonly #statements = new Map<string, Database.Statement>()
  /** Most columns of a row that fits no table. */
  columnsOfUnknown = 1

  /** @param names of the schema */
  constructor(file: NewFile, names: readonly string[]) {
    this.#file = file
    this.#names = new Set(names.map(foldedName))
  }

  /** @param shape null for a row that fits no table */
  add(
    shape: TreeShape | null,
    page: number,
    { rowid, values, texts }: Pick<StoredRow, 'rowid' | 'values' | 'texts'>,
  ): void {
    const id = shape?.id ?? 0
    const table = this.#tables.get(id) ?? this.#create(shape)
    this.#tables.set(id, table)
    const hasRowid = table.alias < 0 && shape?.kind !== 'keyed-table'
    const before = [BigInt(page), ...(hasRowid ? [rowid] : [])]
    const row: StoredValue[] = before.slice(before.length - table.front)
    const front = '-'.repeat(row.length)
    for (let i = 0; i < table.columns.length; i++) row.push(i === table.alias ? rowid : (values[i] ?? null))
    table.insert.runRaw(row, front + texts.padEnd(table.columns.length, '-'))
  }

  /** Before rows of a table are looked up by their keys. */
  beginLookUps(shape: TreeShape): void {
    const table = this.#tables.get(shape.id)
    if (table !== undefined && table.key !== null)
      this.#file.db.exec(`CREATE INDEX ${lookUpIndex} ON ${quoteName(table.name)}(${table.key})`)
  }

  /** True if a row with this key and these values is among them. */
  has(shape: TreeShape, row: KnownRow): boolean {
    const found = this.#statementFor('SELECT 1', shape, row)
    return found?.get(row.rowid === null ? valuesOf(row) : [row.rowid, ...valuesOf(row)]) !== undefined
  }

  /** Deletes such rows: the table of the new file has them now. @returns how many */
  take(shape: TreeShape, row: KnownRow): number {
    const found = this.#statementFor('DELETE', shape, row)
    return found?.run(row.rowid === null ? valuesOf(row) : [row.rowid, ...valuesOf(row)]).changes ?? 0
  }

  /** Drops the table if it is empty. */
  endLookUps(shape: TreeShape): void {
    const table = this.#tables.get(shape.id)
    if (table === undefined) return
    const { db } = this.#file
    this.#statements.clear()
    db.exec(`DROP INDEX IF EXISTS ${lookUpIndex}`)
    if (db.prepare(`SELECT 1 FROM ${quoteName(table.name)} LIMIT 1`).get() !== undefined) return
    db.exec(`DROP TABLE ${quoteName(table.name)}`)
    this.#tables.delete(shape.id)
    this.#names.delete(foldedName(table.name))
  }

  #statementFor(
    does: 'SELECT 1' | 'DELETE',
    { id }: TreeShape,
    { rowid, values }: KnownRow,
  ): Database.Statement | null {
    const table = this.#tables.get(id)
    if (table === undefined || table.key === null) return null
    const terms = values.map(({ at, isText }) => `${table.columns[at]} IS ${isText ? 'CAST(? AS TEXT)' : '?'}`)
    const all = rowid === null ? terms : [`${table.key} = ?`, ...terms]
    const sql = `${does} FROM ${quoteName(table.name)} WHERE ${all.join(' AND ')}`
    if (this.#statements.size >= statementsMax) this.#statements.clear()
    const statement = this.#statements.get(sql) ?? this.#file.db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  nameOf(shape: TreeShape | null): string | null {
    return this.#tables.get(shape?.id ?? 0)?.name ?? null
  }

  /** The tables that were made for rows of a table of the schema, and the ids of their shapes. */
  get madeForTables(): readonly (readonly [name: string, id: number])[] {
    return [...this.#tables].flatMap(([id, { name }]) => (id === 0 ? [] : [[name, id] as const]))
  }

  #create(shape: TreeShape | null): OrphanTable {
    const name = free(shape === null ? prefix : `${prefix}_${shape.name}`, this.#names)
    const columns =
      shape === null
        ? Array.from({ length: this.columnsOfUnknown }, (_, i) => `c${i}`)
        : shape.columns.map((column) => column.name)
    const alias = shape?.alias ?? -1
    const taken = new Set(columns.map(foldedName))
    const hasRowid = alias < 0 && shape?.kind !== 'keyed-table'
    const wanted = hasRowid ? ['page', 'rowid_'] : ['page']
    // The account has the rowids and pages of a table that has no room for them.
    const front = Math.min(wanted.length, tableColumnsMax - columns.length)
    const added = wanted.slice(wanted.length - front).map((column) => free(column, taken))
    const all = [...added, ...columns]
    this.#file.createOrphanTable(name, all)
    const insert = new BoundValues(this.#file.db, `INSERT INTO ${quoteName(name)} VALUES`, all.length)
    const key = alias >= 0 ? columns[alias] : hasRowid ? added.at(-1) : columns[0]
    const names = columns.map((one) => quoteName(one))
    return { name, insert, front, columns: names, alias, key: key === undefined ? null : quoteName(key) }
  }
}

/** Statements that are kept, one for each combination of columns and of those with a text. */
const statementsMax = 100

const valuesOf = ({ values }: KnownRow): readonly StoredValue[] => values.map(({ value }) => value)

/** A name that nothing has yet. */
function free(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let i = 2; taken.has(foldedName(name)); i++) name = `${wanted}_${i}`
  taken.add(foldedName(name))
  return name
}
