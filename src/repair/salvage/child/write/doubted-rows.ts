/**
 * Child side: rows of the new file that indexes of the damaged file contradict. A page of the table may be an old one,
 * which can be read all the same. Only indexes that have an entry for every row, and that could be read wholly, are
 * asked. A row is in doubt if there is one, and none has the values of this row. One that agrees shows that the others
 * are wrong.
 */
import type Database from 'better-sqlite3'
import { Columns } from '../../../../census/record/columns.ts'
import { columnValue, typed, type TypedValue } from '../../../../check/reader/sqlite/column-value.ts'
import { wasReadWholly, type WalkedTree } from '../read/adopt-pages.ts'
import { CellRows } from '../read/cell-rows.ts'
import { collationName, type TreeShape } from '../read/shape.ts'
import type { SalvageContext } from './table-salvage.ts'

/** Statements that are kept, one for each combination of columns with a text. */
const statementsMax = 100

type ShapePlan = NonNullable<TreeShape['plan']>

export class DoubtedRows {
  readonly #to: SalvageContext
  readonly #shape: TreeShape
  readonly #indexes: readonly WalkedTree[]
  readonly #rows: string
  /** The columns of the key in the table of the new file. */
  readonly #key: readonly string[]

  /** @param indexes of this table, that were walked */
  constructor(to: SalvageContext, { shape }: WalkedTree, indexes: readonly WalkedTree[]) {
    this.#to = to
    this.#shape = shape
    this.#indexes = indexes.filter((index) => index.shape.plan?.entries === 'plain' && wasReadWholly(index))
    this.#rows = `${to.newFile.plainTable(shape)} t`
    this.#key = shape.kind === 'rowid-table' ? ['t.rowid'] : shape.key.map((_, i) => `t.c${i}`)
  }

  /**
   * Puts their keys into the facts. Yields after each page.
   * @returns indexes that have an entry with the values of each row; if some have, perhaps not all of them
   */
  *list(): Generator<void, readonly WalkedTree[]> {
    const { facts, newFile } = this.#to
    const { db } = newFile
    const rows = db.prepare<[], number>(`SELECT count(*) FROM ${this.#rows}`).pluck().get() ?? 0
    // Without a row and without an entry nothing agrees: the index may be an old one, from before the first row.
    if (rows === 0) return this.#indexes.filter(({ entries }) => entries > 0 || !facts.hasLostRanges(this.#shape))
    if (this.#indexes.length === 0) return []
    for (const index of this.#indexes) {
      // Entries of an index differ from each other, so each agrees with a row of its own.
      const agreeing = yield* this.#agree(index, 'SELECT 1')
      if (agreeing >= rows) return [index]
    }
    db.exec(this.#agreeingTable())
    for (const index of this.#indexes)
      yield* this.#agree(index, `INSERT OR IGNORE INTO temp.agreeing SELECT ${this.#key.join(', ')}`)
    this.#note()
    db.exec('DROP TABLE temp.agreeing')
    return []
  }

  #agreeingTable(): string {
    const parts = this.#shape.key.map(({ collation }, i) => `k${i} COLLATE ${collationName(collation)}`)
    return parts.length === 0
      ? 'CREATE TEMP TABLE agreeing(k0 INTEGER PRIMARY KEY)'
      : `CREATE TEMP TABLE agreeing(${parts.join(', ')}, ` +
          `PRIMARY KEY(${parts.map((_, i) => `k${i}`).join(', ')})) WITHOUT ROWID`
  }

  /** Lists the rows that are not in that table. */
  #note(): void {
    const { newFile, facts } = this.#to
    const isAgreeing = this.#key.map((one, i) => `a.k${i} = ${one}`).join(' AND ')
    const keys = newFile.db
      .prepare<[], readonly TypedValue[number][]>(
        `SELECT ${this.#key.map(typed).join(', ')} FROM ${this.#rows}
          WHERE NOT EXISTS (SELECT 1 FROM temp.agreeing a WHERE ${isAgreeing})`,
      )
      .raw()
      .safeIntegers()
    const why = `no entry of ${this.#indexes.map(({ shape }) => shape.name).join(', ')} has its values`
    const columns = new Columns(this.#key.length)
    for (const row of keys.iterate()) {
      const values = this.#key.map((_, i) => columnValue(String(row[2 * i]), row[2 * i + 1] ?? null))
      const [rowid] = values
      columns.take(values)
      const key = this.#shape.kind === 'rowid-table' && rowid?.kind === 'integer' ? rowid.value : columns
      facts.addKey(this.#shape, 'doubted', key, null, why)
    }
  }

  /**
   * Runs a statement for the row of each entry of an index that has the same values. Yields after each page.
   * @param does the statement up to `FROM` @returns how many rows it returned or wrote
   */
  *#agree(index: WalkedTree, does: string): Generator<void, number> {
    const { plan } = index.shape
    if (plan === null) return 0
    const statements = new Map<string, Database.Statement>()
    const cells = new CellRows(this.#to.chains, index)
    const bound = [...plan.identity, ...comparedOf(plan).map(({ at }) => at)]
    let found = 0
    for (const { page, bytes, judged } of index.walker.walk('claimed', { leafDepth: null, gaps: [] })) {
      for (const i of judged.states.keys()) {
        const entry = cells.read(bytes, page, i)
        if (entry === null || (entry.chain !== null && entry.chain !== 'whole')) continue
        const known = statements.get(entry.texts)
        if (known === undefined && statements.size >= statementsMax) statements.clear()
        const statement = known ?? this.#prepare(plan, does, entry.texts)
        statements.set(entry.texts, statement)
        const values = bound.map((at) => entry.values[at] ?? null)
        if (!statement.reader) found += statement.run(values).changes
        else if (statement.get(values) !== undefined) found++
      }
      yield
    }
    return found
  }

  /** @param texts `t` for each text of an entry, `-` for any other value */
  #prepare(plan: ShapePlan, does: string, texts: string): Database.Statement {
    const value = (at: number): string => (texts[at] === 't' ? 'CAST(? AS TEXT)' : '?')
    const terms = [
      ...plan.identity.map((at, i) => `${this.#key[i]} = ${value(at)}`),
      ...comparedOf(plan).map(({ at, source }) => `t.c${source} IS ${value(at)} COLLATE BINARY`),
    ]
    return this.#to.newFile.db.prepare(`${does} FROM ${this.#rows} WHERE ${terms.join(' AND ')}`)
  }
}

/** The parts of an entry that are columns of the row. */
const comparedOf = ({ parts }: ShapePlan): readonly { readonly at: number; readonly source: number }[] =>
  parts.flatMap(({ source }, at) => (source >= 0 ? [{ at, source }] : []))
