/**
 * Child side: the new file. While rows are written its tables have no types, no constraints and no names. So every
 * value is stored as it is, and nothing of the schema runs. Afterwards the statements of the damaged schema take their
 * place, and SQLite builds the indexes.
 */
import Database from 'better-sqlite3'
import { quoteName } from '../../../../check/reader/sqlite/open-database.ts'
import type { DatabaseHeader } from '../../../../sqlite/header.ts'
import { collationName, type TreeShape } from '../read/shape.ts'
import type { SchemaStatement } from '../schema/schema-rows.ts'

const encodings = ['UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'] as const
/** KiB of memory for pages. */
const cacheKib = 64_000

/** `plain`: tables without types. `tables`: the schema without triggers, views and virtual tables. */
type SchemaForm = 'plain' | 'tables' | 'whole'

/** An object with a root page. */
interface ObjectWithRoot {
  readonly statement: SchemaStatement
  readonly plainName: string
  readonly plainSql: string
  /** The name that it has now. */
  name: string
}

export class NewFile implements Disposable {
  readonly db: Database.Database
  #placed: ObjectWithRoot[] = []
  readonly #others: readonly SchemaStatement[]
  #form: SchemaForm = 'plain'

  /**
   * @param path must not exist
   * @param statements of the objects that the new file gets, in the order of the schema
   * @param shapes by root page
   */
  constructor(
    path: string,
    header: DatabaseHeader,
    statements: readonly SchemaStatement[],
    shapes: ReadonlyMap<SchemaStatement, TreeShape>,
  ) {
    this.db = new Database(path)
    this.#others = statements.filter((statement) => !shapes.has(statement))
    this.db.unsafeMode(true)
    const vacuum = header.largestRoot === 0 ? 0 : header.incrementalVacuum === 0 ? 1 : 2
    this.db.exec(
      `PRAGMA page_size=${header.pageSize}; PRAGMA encoding="${encodings[header.textEncoding] ?? 'UTF-8'}"; ` +
        `PRAGMA auto_vacuum=${vacuum}; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; ` +
        'PRAGMA synchronous=OFF; PRAGMA mmap_size=0; PRAGMA temp_store=FILE; PRAGMA trusted_schema=OFF; ' +
        `PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON; PRAGMA cache_size=-${cacheKib}; ` +
        'PRAGMA secure_delete=OFF',
    )
    this.db.exec('BEGIN')
    for (const statement of statements) {
      const shape = shapes.get(statement)
      if (shape !== undefined) this.#place(statement, shape, shapes)
    }
    this.db.exec('COMMIT')
  }

  /** The table without types that takes the rows of a tree. */
  plainTable(shape: TreeShape): string {
    return `t${shape.id}`
  }

  /** A table of ours for rows that are in no table. @returns its name */
  createOrphanTable(name: string, columns: readonly string[]): void {
    this.db.exec(`CREATE TABLE ${quoteName(name)}(${columns.map((column) => quoteName(column)).join(', ')})`)
  }

  /** @throws what SQLite throws over a statement of the schema */
  show(form: SchemaForm): void {
    if (form === this.#form) return
    const { db } = this
    db.pragma('writable_schema=ON')
    db.exec('BEGIN')
    const now = db
      .prepare<[], [string, string, string, number, string | null]>(
        'SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema',
      )
      .raw()
      .all()
    const roots = new Map(now.map(([, name, , root]) => [name, root]))
    const names = new Set(this.#placed.map(({ name }) => name))
    const ours = now.filter(([, name, , root]) => root > 0 && !names.has(name))
    db.exec('DELETE FROM sqlite_schema')
    const put = db.prepare('INSERT INTO sqlite_schema VALUES(?, ?, ?, ?, ?)')
    for (const placed of this.#placed) {
      const { statement, plainName, plainSql } = placed
      const root = roots.get(placed.name) ?? 0
      if (form === 'plain') put.run(statement.type, plainName, plainTableOf(placed), root, plainSql)
      else put.run(statement.type, statement.name, statement.table, root, statement.sql)
      placed.name = form === 'plain' ? plainName : statement.name
    }
    if (form === 'whole') for (const { type, name, table, sql } of this.#others) put.run(type, name, table, 0, sql)
    for (const row of ours) put.run(...row)
    db.exec('COMMIT')
    this.#form = form
    db.pragma('writable_schema=RESET')
    db.prepare('SELECT 1 FROM sqlite_schema').get()
  }

  /** Of a table of the schema, when it is shown. */
  countRows(table: string): number {
    return (
      this.db
        .prepare<[], number>(`SELECT count(*) FROM ${quoteName(table)} NOT INDEXED`)
        .pluck()
        .get() ?? 0
    )
  }

  /** Indexes that cannot be built. One that a constraint of its table needs stays, and is empty. */
  dropIndexes(statements: readonly SchemaStatement[]): void {
    const dropped = this.#placed.filter(({ statement }) => statement.sql !== null && statements.includes(statement))
    if (dropped.length === 0) return
    this.show('plain')
    for (const { plainName } of dropped) this.db.exec(`DROP INDEX ${plainName}`)
    this.#placed = this.#placed.filter((placed) => !dropped.includes(placed))
    this.show('tables')
  }

  [Symbol.dispose](): void {
    this.db.close()
  }

  #place(statement: SchemaStatement, shape: TreeShape, shapes: ReadonlyMap<SchemaStatement, TreeShape>): void {
    const plainName = `${shape.kind === 'index' ? 'i' : 't'}${shape.id}`
    const plainSql = shape.kind === 'index' ? plainIndex(plainName, shape, shapes) : plainTable(plainName, shape)
    this.db.exec(plainSql)
    this.#placed.push({ statement, plainName, plainSql, name: plainName })
  }
}

function plainTable(name: string, { kind, columns, key }: TreeShape): string {
  // A column has the collation of its key, so that SQLite finds a row by its key without reading all of them.
  const names = columns.map(
    (_, i) => `c${i}${key[i] === undefined ? '' : ` COLLATE ${collationName(key[i].collation)}`}`,
  )
  if (kind === 'rowid-table') return `CREATE TABLE ${name}(${names.join(', ')})`
  const parts = key.map(({ descending }, i) => `c${i}${descending ? ' DESC' : ''}`)
  return `CREATE TABLE ${name}(${names.join(', ')}, PRIMARY KEY(${parts.join(', ')})) WITHOUT ROWID`
}

/** It stays empty until the statement of the schema has taken its place. */
function plainIndex(name: string, { table }: TreeShape, shapes: ReadonlyMap<SchemaStatement, TreeShape>): string {
  const owner = [...shapes.values()].find((shape) => shape.kind !== 'index' && shape.name === table)
  return `CREATE INDEX ${name} ON t${owner?.id}(c0) WHERE 0`
}

function plainTableOf({ plainName, plainSql }: ObjectWithRoot): string {
  return / ON (t\d+)\(/.exec(plainSql)?.[1] ?? plainName
}
