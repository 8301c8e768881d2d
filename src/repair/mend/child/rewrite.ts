/**
 * Child side: copies all tables and indexes into a new file.
 *
 * VACUUM INTO reads the trees of tables and indexes and nothing else: free pages, leaked pages and pointer maps are
 * made anew. It keeps all rowids, which VACUUM does not (measured with SQLite 3.54.1: a table without a key and without
 * an index got new ones). It carries over encoding, page size, auto_vacuum, user_version, application_id,
 * sqlite_sequence and the tables of ANALYZE.
 *
 * A tree that is too broken to be read is not copied. Before, its row in the schema is given the root of a new empty
 * tree. So the pages of the broken tree have no owner any more, and VACUUM INTO leaves them out. It is never cleared:
 * a wrong pointer in it could lead into another tree, whose pages would then be freed.
 */
import Database from 'better-sqlite3'
import { quoteName } from '../../../check/reader/sqlite/open-database.ts'
import { openCopy } from './open-copy.ts'

export interface EmptiedObjects {
  /** Indexes. */
  readonly emptied: readonly string[]
  /** Full-text tables. */
  readonly emptiedTexts: readonly string[]
}

/** @param db of the file `path`; it is closed @param into does not exist @throws what SQLite throws */
export function rewriteInto(db: Database.Database, path: string, into: string, emptying: EmptiedObjects): void {
  let open = db
  try {
    const trees = [...emptying.emptied, ...emptying.emptiedTexts.flatMap((table) => treesOfText(db, table))]
    if (trees.length > 0) {
      for (const name of trees) emptyTree(db, name)
      db.close()
      open = openCopy(path) // Reads the schema anew.
    }
    open.prepare('VACUUM INTO ?').run(into)
  } finally {
    open.close()
  }
}

/** The tables of a full-text index that its rebuild fills, and their indexes. */
function treesOfText(db: Database.Database, table: string): readonly string[] {
  return ['data', 'idx', 'docsize', 'segments', 'segdir', 'stat'].flatMap((part) =>
    db
      .prepare<[string], string>('SELECT name FROM sqlite_schema WHERE rootpage > 0 AND tbl_name = ? COLLATE NOCASE')
      .pluck()
      .all(`${table}_${part}`),
  )
}

interface SchemaObjectName {
  readonly type: 'table' | 'index'
  readonly name: string
}

/** An index, or a table WITHOUT ROWID, has a tree of the same kind. */
function emptyTree(db: Database.Database, name: string): void {
  const row = db
    .prepare<[string], SchemaObjectName>(
      'SELECT type, name FROM sqlite_schema WHERE rootpage > 0 AND name = ? COLLATE NOCASE ' +
        "AND type IN ('table', 'index')",
    )
    .get(name)
  if (row === undefined) throw new Database.SqliteError(`the schema has no tree ${name}`, 'SQLITE_ERROR')
  const empty = freeName(db)
  const rowids = row.type === 'table' && hasRowids(db, row.name)
  db.exec(`CREATE TABLE ${quoteName(empty)}${rowids ? '(a)' : '(a PRIMARY KEY) WITHOUT ROWID'}`)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  try {
    db.transaction(() => {
      db.prepare(
        'UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = ?) ' +
          'WHERE type = ? AND name = ?',
      ).run(empty, row.type, row.name)
      db.prepare('DELETE FROM sqlite_schema WHERE tbl_name = ?').run(empty)
    })()
  } finally {
    db.pragma('writable_schema=RESET')
    db.unsafeMode(false)
  }
}

function hasRowids(db: Database.Database, table: string): boolean {
  const keys = db
    .prepare<[string], number>(`SELECT count(*) FROM pragma_index_list(?, 'main') l WHERE l.origin = 'pk' AND NOT EXISTS
        (SELECT 1 FROM pragma_index_xinfo(l.name, 'main') WHERE cid = -1)`)
    .pluck()
    .get(table)
  return keys === 0
}

function freeName(db: Database.Database): string {
  const taken = db.prepare<[string], number>('SELECT count(*) FROM sqlite_schema WHERE name = ? COLLATE NOCASE').pluck()
  for (let number = 1; ; number++) {
    const name = `holdfast_empty_${number}`
    if (taken.get(name) === 0) return name
  }
}
