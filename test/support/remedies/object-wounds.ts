/** Wounds of one object of any database: a table, an index, a full-text table or an R-Tree. */
import Database from 'better-sqlite3'
import { cellOffset } from '../../../src/sqlite/page.ts'
import { dropCell, EditableDatabase, recordBody } from '../databases/surgeon.ts'

/** Wounds the closed database at `path`. */
export type WoundFile = (path: string) => void

const operate =
  (work: (database: EditableDatabase) => void): WoundFile =>
  (path) => {
    using database = new EditableDatabase(path)
    work(database)
  }

/** The page of a leaf becomes zeroes. */
export const zeroLeaf = (name: string): WoundFile =>
  operate((database) => database.write(database.leaf(name), Buffer.alloc(database.layout.pageSize)))

/** One cell of a leaf is gone: an entry of an index, or a row of a table. */
export const dropFrom = (name: string): WoundFile =>
  operate((database) => dropCell(database, leafWithoutFreeblocks(database, name), 2))

/** Two entries that are neighbours change places. */
export const swapIn = (name: string): WoundFile =>
  operate((database) => {
    const page = database.leaf(name)
    database.edit(page, (bytes, bTree) => {
      const first = cellOffset(bytes, bTree, 0)
      bytes.writeUInt16BE(cellOffset(bytes, bTree, 1) % 65_536, bTree.pointers)
      bytes.writeUInt16BE(first % 65_536, bTree.pointers + 2)
    })
  })

/** The bits of one byte of a value change. @param byte counted from the first value of the record */
export const changeValue = (name: string, byte: number): WoundFile =>
  operate((database) => {
    const page = database.leaf(name)
    const at = recordBody(database, page, 2) + byte
    database.edit(page, (bytes) => {
      bytes[at] = (bytes[at] ?? 0) ^ 1
    })
  })

/** The root of a tree of several levels becomes zeroes, so all its leaves are orphaned. */
export const zeroRoot = (name: string): WoundFile =>
  operate((database) => database.write(database.root(name), Buffer.alloc(database.layout.pageSize)))

function leafWithoutFreeblocks(database: EditableDatabase, name: string): number {
  const page = database.pages(name).find((page) => {
    const bTree = database.bTree(page)
    return bTree.leaf && bTree.cellCount > 5 && database.read(page).readUInt16BE(page === 1 ? 101 : 1) === 0
  })
  if (page === undefined) throw new Error(`${name} has no leaf without freeblocks`)
  return page
}

/** Statements that write into the tables in which a module keeps its data, or around a constraint. */
export const bySql =
  (sql: string): WoundFile =>
  (path) => {
    const db = new Database(path)
    try {
      db.unsafeMode(true)
      db.exec(sql)
    } finally {
      db.close()
    }
  }

/** With a handle of its own that may change the schema. */
function unsafely<Result>(path: string, work: (db: Database.Database) => Result): Result {
  const db = new Database(path)
  try {
    db.unsafeMode(true)
    db.pragma('writable_schema=ON')
    return work(db)
  } finally {
    db.close()
  }
}

const giveSixthRowTheKeyOfTheFirst = (table: string, column: string): string =>
  `UPDATE ${table} SET ${column} = (SELECT ${column} FROM ${table} ORDER BY rowid LIMIT 1)
    WHERE rowid = (SELECT rowid FROM ${table} ORDER BY rowid LIMIT 1 OFFSET 5)`

/** Two rows with the same key of a UNIQUE index, which has an entry for each. */
export const violateUnique =
  (table: string, index: string, column: string): WoundFile =>
  (path) => {
    const setSql = (db: Database.Database, sql: string): void =>
      void db.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?').run(sql, index)
    const original = unsafely(path, (db) => {
      const sql = db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(index) as string
      setSql(db, sql.replace('CREATE UNIQUE INDEX', 'CREATE INDEX'))
      return sql
    })
    unsafely(path, (db) => db.exec(giveSixthRowTheKeyOfTheFirst(table, column)))
    unsafely(path, (db) => setSql(db, original))
  }

/**
 * The same, but the index still holds the old key of the second row: it looks as if the index alone were wrong, and
 * only a rebuild finds the two rows.
 */
export const hideFromIndex =
  (table: string, index: string, column: string): WoundFile =>
  (path) => {
    const row = unsafely(path, (db) => {
      const found = db.prepare('SELECT * FROM sqlite_schema WHERE name = ?').raw().get(index) as unknown[]
      db.prepare('DELETE FROM sqlite_schema WHERE name = ?').run(index)
      return found
    })
    unsafely(path, (db) => db.exec(giveSixthRowTheKeyOfTheFirst(table, column)))
    unsafely(path, (db) => db.prepare('INSERT INTO sqlite_schema VALUES(?,?,?,?,?)').run(row))
  }
