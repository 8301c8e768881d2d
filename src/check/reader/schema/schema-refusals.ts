/**
 * Child side: which rows of a schema SQLite refuses, and why. SQLite itself reports only the first and reads no more.
 */
import Database from 'better-sqlite3'
import type { Fact } from '../../../model/result/reading.ts'
import type { SchemaRow } from './schema-objects.ts'
import { foldedName, tokensOf, unquote } from './sql-tokens.ts'

/** With more rows than this, none is judged. */
const rowsMax = 50_000

type RefusedRow = Fact & { readonly kind: 'refused' }

interface JudgedRows {
  readonly refusals: readonly RefusedRow[]
  /** Names of all objects that must not be asked about: the refused ones, and what belongs to a refused table. */
  readonly refused: ReadonlySet<string>
}

/**
 * SQLite reads each row alone, or with the row of its table, in a scratch database.
 * @param pages of the database: a root page behind them is wrong
 * @returns null if there are too many rows
 */
export function judgeRows(rows: readonly SchemaRow[], pages: number): JudgedRows | null {
  if (rows.length > rowsMax) return null
  using scratch = new ScratchDatabase()
  const tables = new Map(
    rows.flatMap((row) => (row.type === 'table' || row.type === 'view' ? [[foldedName(row.name), row]] : [])),
  )
  const named = new Set<string>()
  const refusals: RefusedRow[] = []
  const refused = new Set<string>()
  const refuse = (row: SchemaRow, why: string): void => {
    refusals.push({ kind: 'refused', name: row.name, table: row.tbl_name, why, statement: statementOf(row) })
    refused.add(row.name)
  }
  const wrongRoot = rootChecks(pages)
  const later: SchemaRow[] = []
  for (const row of rows) {
    if (row.type === 'index' || row.type === 'trigger') {
      later.push(row)
      continue
    }
    const again = named.has(foldedName(row.name))
    named.add(foldedName(row.name))
    const why = again ? `there is another ${row.type} of this name` : (wrongRoot(row) ?? scratch.whyRefused([row]))
    if (why !== null) refuse(row, why)
  }
  for (const row of later) {
    const table = tables.get(foldedName(row.tbl_name))
    // The indexes of a refused table are not read either, but nothing is wrong with them.
    if (table !== undefined && refused.has(table.name)) refused.add(row.name)
    else {
      const why = wrongRoot(row) ?? scratch.whyRefused(table === undefined ? [row] : [table, row])
      if (why !== null) refuse(row, why)
    }
  }
  return { refusals, refused }
}

/**
 * The checks of root pages that SQLite makes when it reads a schema. A root must be a page of the database, and not the
 * root of another index of the table. @returns a function that gives the reason, or null
 */
function rootChecks(pages: number): (row: SchemaRow) => string | null {
  const known = new Set<string>()
  return ({ type, tbl_name, rootpage }) => {
    const root = rootpage ?? 0
    const key = `${root} ${foldedName(tbl_name)}`
    if (root > pages || (type === 'index' && root > 0 && known.has(key))) return 'invalid rootpage'
    if (type === 'index') known.add(key)
    return null
  }
}

/** An empty database in memory. Each question puts rows into its schema and takes them out again. */
class ScratchDatabase implements Disposable {
  readonly #db = new Database(':memory:')

  constructor() {
    this.#db.unsafeMode(true)
    // Makes pages that can be roots.
    this.#db.exec('CREATE TABLE filler(a); INSERT INTO filler VALUES(zeroblob(60000)); DROP TABLE filler')
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  /** null if SQLite accepts the rows. */
  whyRefused(rows: readonly SchemaRow[]): string | null {
    const db = this.#db
    db.pragma('writable_schema=ON')
    db.exec('BEGIN')
    try {
      const insert = db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)')
      for (const [i, { type, name, tbl_name, rootpage, sql }] of rows.entries())
        insert.run(type, name, tbl_name, (rootpage ?? 0) > 0 ? 2 + i : rootpage, sql)
      db.pragma('writable_schema=RESET')
      db.prepare('SELECT 1 FROM sqlite_schema').get()
      return null
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error
      return reasonIn(
        error.message,
        rows.map(({ name }) => name),
      )
    } finally {
      db.exec('ROLLBACK')
    }
  }
}

/** SQLite writes the name of the object before the reason; a name may contain any characters. */
function reasonIn(message: string, names: readonly string[]): string {
  for (const name of names) {
    const heading = `malformed database schema (${name})`
    if (message === heading) return 'SQLite gives no reason'
    if (message.startsWith(`${heading} - `)) return message.slice(heading.length + 3)
  }
  return message
}

/** Words between CREATE and the name that this SQLite knows. */
const knownWords = ['unique', 'virtual', 'table', 'index', 'view', 'trigger']
/** Another SQLite may have more words between CREATE and the type: OR REPLACE, MATERIALIZED, UNLOGGED. */
const moreWordsMax = 3

/** True if the statement creates what the row says. A known word with one wrong letter is damage, not a new word. */
function createsType(type: string, words: readonly string[]): boolean {
  const at = words.indexOf(type.toLowerCase().split(' ')[0] ?? '')
  const before = words.slice(1, at)
  return at > 0 && before.length <= moreWordsMax && ![type, ...before].some(isOneLetterOff)
}

const isOneLetterOff = (word: string): boolean =>
  knownWords.some(
    (known) => known.length === word.length && Array.from(known).filter((letter, i) => letter !== word[i]).length === 1,
  )

/**
 * Whether the statement is SQL about this object, as far as that shows without understanding it. SQLite itself writes
 * its first words.
 */
function statementOf({ type, name, sql }: SchemaRow): RefusedRow['statement'] {
  if (sql === null) return 'torn'
  const tokens = tokensOf(sql)
  const depth = tokens.reduce((sum, { text }) => (sum < 0 ? sum : sum + Number(text === '(') - Number(text === ')')), 0)
  if (
    depth !== 0 ||
    sql.includes('\ufffd') ||
    tokens.some(({ text }) => text.length === 1 && /[^\x21-\x7e\u0080-\ufffc]|["'`[]/.test(text))
  )
    return 'torn'
  const named = tokens.slice(1, 12).some(({ text }) => foldedName(unquote(text)) === foldedName(name))
  if (!named || !/^create$/i.test(tokens[0]?.text ?? '')) return 'torn'
  const words = tokens.slice(0, moreWordsMax + 2).map(({ text }) => text.toLowerCase())
  return createsType(type, words) ? 'whole' : 'unlike'
}
