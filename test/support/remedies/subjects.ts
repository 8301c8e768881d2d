/**
 * Sound databases that the tests of the remedies damage. Each has a table `marks` on one page of its own, which the
 * companions of a live set change, so that damage elsewhere stays as it is.
 */
import type Database from 'better-sqlite3'
import { create, fillEvents } from '../databases/create-database.ts'
import type { Fill } from '../databases/create-database.ts'
import { copyCached } from '../databases/database-cache.ts'

export interface Subject {
  readonly name: string
  readonly pageSize: number
  /** Creates the database at `path`, where nothing may be: closed, one file, with rollback journal DELETE. */
  readonly create: (path: string) => void
}

function subject(name: string, pageSize: number, fill: Fill, pragmas: readonly string[] = []): Subject {
  const build = (path: string): void =>
    create(
      path,
      pageSize,
      (db) => {
        fill(db)
        fillMarks(db)
      },
      // Otherwise SQLite zeroes what it frees on some builds, and no test could catch rows that come back.
      ['secure_delete=OFF', ...pragmas],
    )
  return {
    name: `${name}, pages of ${pageSize}`,
    pageSize,
    create: (path) => copyCached(`remedies ${name} ${pageSize}`, path, build),
  }
}

const fillMarks: Fill = (db) =>
  void db.exec("CREATE TABLE marks(id INTEGER PRIMARY KEY, mark TEXT); INSERT INTO marks VALUES(1, 'mark 0')")

/** The database of the surgeon's wounds: tables of several levels, four indexes, overflow chains and a free list. */
const fillVaried =
  (pageSize: number): Fill =>
  (db) => {
    fillEvents(2000 * Math.min(4, Math.max(1, pageSize / 1024)))(db)
    db.exec('CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB); CREATE TABLE trash(x)')
    const blob = db.prepare('INSERT INTO blobs VALUES(?, randomblob(?))')
    const trash = db.prepare('INSERT INTO trash VALUES(randomblob(?))')
    for (let i = 1; i <= 8; i++) blob.run(i, pageSize * i)
    db.exec('CREATE TABLE deep(key TEXT PRIMARY KEY) WITHOUT ROWID')
    const deep = db.prepare('INSERT INTO deep VALUES(?)')
    const isWide = db.pragma('encoding', { simple: true }) !== 'UTF-8'
    for (let i = 0; i < 200; i++) deep.run(String((i * 7919) % 1009).padStart(pageSize / (isWide ? 12 : 6), 'k'))
    for (let i = 1; i <= 20; i++) trash.run(pageSize)
    db.exec('DROP TABLE trash')
    db.pragma('user_version=77')
    db.pragma('application_id=4242')
  }

export const varied = (pageSize: number, how: 'plain' | 'auto-vacuum' | 'UTF-16' = 'plain'): Subject =>
  subject(
    `the varied database${how === 'plain' ? '' : ` with ${how}`}`,
    pageSize,
    fillVaried(pageSize),
    how === 'plain' ? [] : [how === 'auto-vacuum' ? 'auto_vacuum=INCREMENTAL' : 'encoding="UTF-16le"'],
  )

/** Each feature of SQLite that makes writing rows more than writing rows. */
export const rich = (pageSize: number): Subject =>
  subject('every kind of table', pageSize, (db) => {
    db.pragma('foreign_keys=ON')
    db.exec(`
      CREATE TABLE owners(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE NOT NULL UNIQUE);
      CREATE TABLE items(
        id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners ON DELETE CASCADE,
        price REAL CHECK(price >= 0), count INTEGER,
        total REAL AS (price * count) STORED, half REAL AS (price / 2) VIRTUAL, raw BLOB, any_type
      );
      CREATE INDEX items_owner ON items(owner, price DESC);
      CREATE INDEX items_total ON items(total);
      CREATE INDEX items_half ON items(half);
      CREATE INDEX items_cheap ON items(price) WHERE price < 50;
      CREATE INDEX items_lower ON items(lower(any_type), count % 3);
      CREATE TABLE pairs(a TEXT, b INTEGER, c TEXT, PRIMARY KEY(a, b DESC)) WITHOUT ROWID;
      CREATE INDEX pairs_c ON pairs(c, b, a);
      CREATE TABLE exact(id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, amount INTEGER) STRICT;
      CREATE TABLE heap(anything, more);
      CREATE INDEX heap_anything ON heap(anything);
      CREATE TABLE audit(id INTEGER PRIMARY KEY, what TEXT);
      CREATE TRIGGER items_added AFTER INSERT ON items BEGIN INSERT INTO audit(what) VALUES('added ' || new.id); END;
      CREATE TRIGGER items_gone AFTER DELETE ON items BEGIN INSERT INTO audit(what) VALUES('gone ' || old.id); END;
      CREATE VIEW cheap AS SELECT id, price FROM items WHERE price < 50`)
    fillRich(db)
    db.exec('REINDEX; ANALYZE') // Deleted entries leave free blocks, in which the surgeon drops nothing.
  })

function fillRich(db: Database.Database): void {
  const owner = db.prepare('INSERT INTO owners(name) VALUES(?)')
  const item = db.prepare('INSERT INTO items(id, owner, price, count, raw, any_type) VALUES(?,?,?,?,?,?)')
  const pair = db.prepare('INSERT INTO pairs VALUES(?,?,?)')
  const strict = db.prepare('INSERT INTO exact VALUES(?,?,?)')
  const heap = db.prepare('INSERT INTO heap(rowid, anything, more) VALUES(?,?,?)')
  // One value of each storage class, and those whose type a careless copy changes.
  const anything = [null, 1n, -0.5, 'text', Buffer.from('blob'), '12', 3.0, 2n ** 60n, 'a\0b', Buffer.alloc(0), '']
  db.transaction(() => {
    for (let i = 1; i <= 40; i++) owner.run(`Owner ${i}`)
    for (let i = 1; i <= 900; i++)
      item.run(i * 2, 1 + (i % 40), (i * 37) % 100, i % 11, Buffer.alloc(i % 30, i), anything[i % anything.length])
    for (let i = 0; i < 700; i++) pair.run(`a${i % 23}`, i, `value ${i}`.repeat(1 + (i % 9)))
    for (let i = 1; i <= 600; i++) strict.run(i, `label ${i * 13}`, i * 1_000_003)
    // Rowids that a copy by SQL without rowids would number anew.
    for (let i = 1; i <= 500; i++) heap.run(i * 5 + 3, anything[i % anything.length], `more ${i}`)
    db.exec('DELETE FROM items WHERE id % 14 = 0; DELETE FROM heap WHERE rowid % 35 = 8')
  })()
}

const sentence = (i: number): string => `the quick brown fox ${i} jumps over word${i % 10} and more lazy dogs`

/** Full-text tables that keep their own text. */
export const fullText = (pageSize: number): Subject =>
  subject('full-text tables', pageSize, (db) => {
    db.exec('CREATE VIRTUAL TABLE five USING fts5(title, body)')
    db.exec('CREATE VIRTUAL TABLE four USING fts4(title, body); CREATE VIRTUAL TABLE three USING fts3(body)')
    db.exec('CREATE TABLE plain(id INTEGER PRIMARY KEY, body TEXT)')
    db.transaction(() => {
      for (let i = 1; i <= 300; i++) {
        db.prepare('INSERT INTO five(rowid, title, body) VALUES(?,?,?)').run(i * 3, `title ${i}`, sentence(i))
        db.prepare('INSERT INTO four(rowid, title, body) VALUES(?,?,?)').run(i * 3, `title ${i}`, sentence(i))
        db.prepare('INSERT INTO three(rowid, body) VALUES(?,?)').run(i * 3, sentence(i))
        db.prepare('INSERT INTO plain VALUES(?,?)').run(i, sentence(i))
      }
    })()
  })

/** A full-text table whose text is in another table. */
export const externalText = (pageSize: number): Subject =>
  subject('external content', pageSize, (db) => {
    db.exec(`
      CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT);
      CREATE VIRTUAL TABLE five USING fts5(title, body, content='notes', content_rowid='id')`)
    db.transaction(() => {
      for (let i = 1; i <= 300; i++) db.prepare('INSERT INTO notes VALUES(?,?,?)').run(i * 3, `title ${i}`, sentence(i))
      db.exec("INSERT INTO five(five) VALUES('rebuild')")
    })()
  })

/** A full-text table that stores no text: nothing can rebuild it. */
export const contentless = (pageSize: number): Subject =>
  subject('contentless', pageSize, (db) => {
    db.exec("CREATE VIRTUAL TABLE five USING fts5(title, body, content='')")
    db.transaction(() => {
      for (let i = 1; i <= 300; i++)
        db.prepare('INSERT INTO five(rowid, title, body) VALUES(?,?,?)').run(i * 3, `title ${i}`, sentence(i))
    })()
  })

export const boxes = (pageSize: number): Subject =>
  subject('an R-Tree', pageSize, (db) => {
    db.exec('CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +label)')
    const put = db.prepare('INSERT INTO boxes VALUES(?,?,?,?,?,?)')
    db.transaction(() => {
      for (let i = 1; i <= 400; i++) put.run(i, i, i + 2, i % 40, (i % 40) + 1, `box ${i}`)
    })()
  })
