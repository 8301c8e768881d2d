/**
 * Child side: binds values exactly. Texts are bound as their bytes, because a JavaScript string would lose what is no
 * valid text, and become texts in SQLite.
 */
import type Database from 'better-sqlite3'
import type { StoredValue } from '../read/record-header.ts'

interface BoundValue {
  readonly value: StoredValue
  readonly isText: boolean
}

export const bound = (value: StoredValue, isText = false): BoundValue => ({ value, isText })

/** Statements that are kept, one for each combination of columns with a text. */
const statementsMax = 100

export class BoundValues {
  readonly #db: Database.Database
  readonly #insert: string
  readonly #columns: number
  readonly #end: string
  readonly #statements = new Map<string, Database.Statement>()

  /** @param insert a statement up to `VALUES` @param end what follows the values */
  constructor(db: Database.Database, insert: string, columns: number, end = '') {
    this.#db = db
    this.#insert = insert
    this.#columns = columns
    this.#end = end
  }

  run(values: readonly BoundValue[]): void {
    const texts = values.map(({ isText }) => (isText ? 't' : '-')).join('')
    this.#statementFor(texts).run(values.map(({ value }) => value))
  }

  /** @param texts `t` for each text, `-` for any other value */
  runRaw(values: readonly StoredValue[], texts: string): void {
    this.#statementFor(texts).run(values)
  }

  /** The first column of the row that the statement returns. */
  get(values: readonly StoredValue[], texts: string): unknown {
    return this.#statementFor(texts).pluck().get(values)
  }

  #statementFor(texts: string): Database.Statement {
    const known = this.#statements.get(texts)
    if (known !== undefined) return known
    if (this.#statements.size >= statementsMax) this.#statements.clear()
    const values = Array.from({ length: this.#columns }, (_, i) => (texts[i] === 't' ? 'CAST(? AS TEXT)' : '?'))
    const statement = this.#db.prepare(`${this.#insert}(${values.join(', ')})${this.#end}`)
    this.#statements.set(texts, statement)
    return statement
  }
}
