/** Builds a generated database. */

import Database from 'better-sqlite3'
import type { GeneratedDatabase } from './generated-database.ts'
import { indexSql, tableSql, typeOf } from './generated-sql.ts'

/** Leaves out rows that the constraints refuse, and indexes that SQLite refuses because they would not be unique. */
export function buildGenerated(path: string, shape: GeneratedDatabase): void {
  const db = new Database(path)
  try {
    db.pragma(`page_size=${shape.pageSize}`)
    db.pragma(`encoding="${shape.encoding}"`)
    db.pragma(`auto_vacuum=${shape.autoVacuum}`)
    db.pragma('synchronous=OFF')
    for (const beside of shape.beside) makeBeside(db, beside)
    db.exec(tableSql(shape))
    const half = Math.ceil(shape.indexes.length / 2)
    shape.indexes.slice(0, half).forEach((_, i) => db.exec(indexSql(shape, i)))
    insert(db, shape, shape.rows, 1n)
    if (shape.deleteEvery > 1)
      db.exec(`DELETE FROM t WHERE abs(coalesce(CAST(k AS INTEGER), 1) % 1000) % ${shape.deleteEvery} = 1`)
    if (shape.added !== null) {
      try {
        db.exec(`ALTER TABLE t ADD COLUMN later ${typeOf(shape, shape.added.type)} DEFAULT ${shape.added.fallback}`)
        db.exec('CREATE INDEX i_later ON t(later)')
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    }
    shape.indexes.slice(half).forEach((_, i) => {
      try {
        db.exec(indexSql(shape, half + i))
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    })
    insert(db, shape, shape.later, 1_000_000n)
    try {
      db.exec("UPDATE t SET c0 = c0 || 'x' WHERE typeof(c0) = 'text'")
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error
    }
    if (shape.quoted) quoteStrings(db)
  } finally {
    db.close()
  }
}

/**
 * Puts strings in double quotes into the statements of indexes, without changing their meaning. This build of SQLite
 * would refuse such statements, so the schema is edited.
 */
function quoteStrings(db: Database.Database): void {
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  db.exec(
    `UPDATE sqlite_schema SET sql = replace(replace(sql, 'hex(', '"" || hex('), ' WHERE c0 IS ` +
      `NOT NULL', ' WHERE ("no column" || c0) IS NOT NULL') WHERE type = 'index'`,
  )
  db.pragma('writable_schema=RESET')
  db.unsafeMode(false)
}

function makeBeside(db: Database.Database, beside: GeneratedDatabase['beside'][number]): void {
  switch (beside) {
    case 'view':
      return void db.exec('CREATE VIEW first AS SELECT 1 AS one')
    case 'fts5':
      return void db.exec(
        "CREATE VIRTUAL TABLE notes USING fts5(title, body); INSERT INTO notes VALUES('one " +
          "title', 'the quick brown fox'), ('another', 'jumps over the lazy dog')",
      )
    case 'fts5vocab':
      return void db.exec(
        'CREATE VIRTUAL TABLE text USING fts5(body); CREATE VIRTUAL TABLE words USING ' +
          "fts5vocab(text, 'row'); INSERT INTO text VALUES('some words')",
      )
    case 'r-tree':
      return void db.exec(
        'CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1); INSERT INTO boxes VALUES(1, 0, 2), (2, 1, 5), (3, -7, 9)',
      )
    case 'large values':
      return void db.exec(
        'CREATE TABLE large(id INTEGER PRIMARY KEY, v); CREATE INDEX large_v ON large(v); INSERT ' +
          'INTO large(v) VALUES(zeroblob(9000)), (zeroblob(5000)), (zeroblob(70000))',
      )
    case 'nested views':
      db.exec('CREATE VIEW v0 AS SELECT 1 AS one')
      for (let i = 1; i <= 40; i++)
        db.exec(`CREATE VIEW v${i} AS SELECT * FROM v${i - 1} UNION ALL SELECT * FROM v${i - 1}`)
      return
    case 'triggers':
      return void db.exec(
        'CREATE TABLE told(n); CREATE TRIGGER tells AFTER INSERT ON told BEGIN DELETE FROM ' +
          'told WHERE n = new.n - 1; END; INSERT INTO told VALUES(1), (2)',
      )
    case 'long names':
      return void db.exec(
        `CREATE TABLE "${'n'.repeat(90_000)}"(a UNIQUE); CREATE INDEX "${'i'.repeat(40_000)}" ON ` +
          `"${'n'.repeat(90_000)}"(a); INSERT INTO "${'n'.repeat(90_000)}" VALUES(1)`,
      )
    case 'free pages':
      return void db.exec(
        'CREATE TABLE trash(v); INSERT INTO trash VALUES(zeroblob(20000)), (zeroblob(9000)); DROP TABLE trash',
      )
  }
}

function insert(db: Database.Database, shape: GeneratedDatabase, rows: GeneratedDatabase['rows'], from: bigint): void {
  const names = shape.columns.map((_, i) => `c${i}`)
  const put = db.prepare(
    `INSERT OR REPLACE INTO t(k, l, ${names.join(', ')}) VALUES(${['?', '?', ...names.map(() => '?')].join(', ')})`,
  )
  db.transaction(() => {
    for (const [i, row] of rows.entries()) {
      const key =
        shape.key === 'integer' || shape.key === 'integer descending' || (shape.key === 'rowid' && shape.withoutRowid)
          ? typeof row[0] === 'bigint'
            ? row[0]
            : from + BigInt(i)
          : (row[0] ?? from + BigInt(i))
      try {
        put.run(key, row[1] ?? 0n, ...row.slice(2, 2 + names.length))
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    }
  })()
}
