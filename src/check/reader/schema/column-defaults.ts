/**
 * Child side: the values that rows have in columns that were added after them. A scratch table in SQLite shows them.
 */
import Database from 'better-sqlite3'
import type { ColumnValue } from '../../../sqlite/column-value.ts'
import { columnValue, typed } from '../sqlite/column-value.ts'
import type { TypedValue } from '../sqlite/column-value.ts'

const encodings = ['UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'] as const

export class ColumnDefaults implements Disposable {
  readonly #encoding: number
  readonly #known = new Map<string, ColumnValue>()
  #db: Database.Database | null = null

  /** @param encoding as in the header */
  constructor(encoding: number) {
    this.#encoding = encoding
  }

  /** @param type of the column @param value its default as table_xinfo gives it */
  valueOf(type: string, strict: boolean, value: string): ColumnValue {
    const column = `c ${affinityOf(type, strict)} DEFAULT`
    // A default may be a bare word, which is no expression, or an expression, which needs brackets.
    return (
      this.#known.get(column + value) ??
      this.#tryDefault(column + value, `${column} ${value}\n`) ??
      this.#tryDefault(column + value, `${column} (${value}\n)`) ?? { kind: 'null' }
    )
  }

  [Symbol.dispose](): void {
    this.#db?.close()
  }

  /** null if SQLite refuses to add such a column: then no row can be older than the column. */
  #tryDefault(key: string, column: string): ColumnValue | null {
    const db = (this.#db ??= this.#open())
    db.exec('BEGIN')
    try {
      db.exec(`ALTER TABLE scratch ADD COLUMN ${column}`)
      const row = db
        .prepare<[], TypedValue>(`SELECT ${typed('c')} FROM scratch`)
        .raw()
        .safeIntegers()
        .get()
      const value = columnValue(row?.[0] ?? 'null', row?.[1] ?? null)
      this.#known.set(key, value)
      return value
    } catch (error) {
      if (error instanceof Database.SqliteError) return null
      throw error
    } finally {
      db.exec('ROLLBACK')
    }
  }

  #open(): Database.Database {
    const db = new Database(':memory:')
    db.pragma(`encoding = "${encodings[this.#encoding] ?? 'UTF-8'}"`)
    db.exec('CREATE TABLE scratch(a); INSERT INTO scratch VALUES(1)')
    return db
  }
}

/** The affinity of a declared type, as a type name (SQLite documentation, "Datatypes", section 3.1). */
export function affinityOf(type: string, strict: boolean): string {
  if (/INT/i.test(type)) return 'INTEGER'
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'TEXT'
  if (/BLOB/i.test(type) || type === '' || (strict && /^ANY$/i.test(type))) return 'BLOB'
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'NUMERIC'
}
