/** Healthy databases, one for each feature of SQLite. Each is small, sound by construction, and closed afterwards. */

import { create, fillEvents, fillOverflow } from './create-database.ts'
import type { Fill } from './create-database.ts'
import { copyCached } from './database-cache.ts'
import { createReserved } from './special-layouts.ts'

interface Recipe {
  readonly name: string
  /** Creates the database at `path`, which must not exist. */
  readonly build: (path: string, pageSize: number) => void
}

const dropHalf: Fill = (db) => {
  db.exec('DELETE FROM events WHERE id % 3 = 0 AND id < 1200; DROP TABLE users')
}

const recipesOnce: readonly Recipe[] = [
  { name: 'plain', build: (path, size) => create(path, size, fillEvents(600)) },
  { name: 'nothing but a header', build: (path, size) => create(path, size, (db) => db.pragma('user_version=7')) },
  {
    name: 'empty tables',
    build: (path, size) =>
      create(path, size, (db) =>
        db.exec('CREATE TABLE a(x); CREATE TABLE b(y PRIMARY KEY) WITHOUT ROWID; CREATE INDEX a_x ON a(x)'),
      ),
  },
  {
    name: 'free list',
    build: (path, size) =>
      create(path, size, (db) => {
        fillEvents(1500)(db)
        dropHalf(db)
      }),
  },
  {
    name: 'many free pages',
    build: (path, size) =>
      create(path, size, (db) => {
        fillOverflow(db)
        db.exec('CREATE TABLE keep(a); INSERT INTO keep VALUES(1); DROP TABLE blobs')
      }),
  },
  {
    name: 'auto-vacuum full',
    build: (path, size) =>
      create(
        path,
        size,
        (db) => {
          fillEvents(800)(db)
          fillOverflow(db)
          dropHalf(db)
        },
        ['auto_vacuum=FULL'],
      ),
  },
  {
    name: 'auto-vacuum incremental',
    build: (path, size) =>
      create(
        path,
        size,
        (db) => {
          fillEvents(800)(db)
          fillOverflow(db)
          dropHalf(db)
          db.pragma('incremental_vacuum(3)')
        },
        ['auto_vacuum=INCREMENTAL'],
      ),
  },
  {
    name: 'auto-vacuum without tables',
    build: (path, size) => create(path, size, (db) => db.exec('CREATE TABLE a(x); DROP TABLE a'), ['auto_vacuum=FULL']),
  },
  {
    name: 'without rowid',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE TABLE pairs(a TEXT, b INTEGER, c TEXT, PRIMARY KEY(a, b DESC)) WITHOUT ROWID')
        db.exec('CREATE INDEX pairs_c ON pairs(c)')
        const put = db.prepare('INSERT INTO pairs VALUES(?,?,?)')
        db.transaction(() => {
          for (let i = 0; i < 700; i++) put.run(`a${i % 23}`, i, `value ${i}`.repeat(1 + (i % 50)))
        })()
      }),
  },
  { name: 'large overflow', build: (path, size) => create(path, size, fillOverflow) },
  {
    name: 'overflow in auto-vacuum',
    build: (path, size) =>
      create(
        path,
        size,
        (db) => {
          fillOverflow(db)
          db.exec('DELETE FROM blobs WHERE id % 4 = 1')
        },
        ['auto_vacuum=FULL'],
      ),
  },
  { name: 'UTF-16le', build: (path, size) => create(path, size, fillEvents(200), ['encoding="UTF-16le"']) },
  { name: 'UTF-16be', build: (path, size) => create(path, size, fillEvents(200), ['encoding="UTF-16be"']) },
  {
    name: 'fts5',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE VIRTUAL TABLE notes USING fts5(title, body)')
        db.exec("CREATE VIRTUAL TABLE words USING fts5vocab(notes, 'row')")
        const put = db.prepare('INSERT INTO notes VALUES(?,?)')
        db.transaction(() => {
          for (let i = 0; i < 200; i++) put.run(`title ${i}`, `the quick brown fox ${i} jumps over ${i * 7} lazy dogs`)
        })()
      }),
  },
  {
    name: 'fts4 and fts3',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE VIRTUAL TABLE old USING fts4(body); CREATE VIRTUAL TABLE older USING fts3(body)')
        for (let i = 0; i < 50; i++) db.prepare('INSERT INTO old VALUES(?)').run(`word${i} and more words`)
        for (let i = 0; i < 50; i++) db.prepare('INSERT INTO older VALUES(?)').run(`word${i} and more words`)
      }),
  },
  {
    name: 'r-tree',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +label)')
        const put = db.prepare('INSERT INTO boxes VALUES(?,?,?,?,?,?)')
        db.transaction(() => {
          for (let i = 1; i <= 300; i++) put.run(i, i, i + 2, i % 40, (i % 40) + 1, `box ${i}`)
        })()
      }),
  },
  {
    name: 'views, triggers, partial and expression indexes, generated columns',
    build: (path, size) =>
      create(path, size, (db) => {
        fillEvents(300)(db)
        db.exec(`
          CREATE VIEW heavy AS SELECT * FROM events WHERE weight > 9;
          CREATE TRIGGER touched AFTER UPDATE ON users BEGIN UPDATE events SET at = at + 1 WHERE id = new.id; END;
          CREATE INDEX events_late ON events(at) WHERE at > 1700050000;
          CREATE INDEX events_half ON events(weight / 2, lower(kind));
          CREATE TABLE sums(a INTEGER, b INTEGER, c INTEGER AS (a + b) STORED, d INTEGER AS (a * b) VIRTUAL);
          CREATE INDEX sums_c ON sums(c);
          CREATE INDEX sums_d ON sums(d)`)
        for (let i = 0; i < 100; i++) db.prepare('INSERT INTO sums VALUES(?,?)').run(i, i * 2)
      }),
  },
  {
    name: 'strict, with checks and foreign keys',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT')
        db.exec(
          'CREATE TABLE children(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents(id), ' +
            'age INTEGER CHECK(age >= 0)) STRICT',
        )
        for (let i = 1; i <= 100; i++) db.prepare('INSERT INTO parents VALUES(?,?)').run(i, `p${i}`)
        for (let i = 1; i <= 300; i++) db.prepare('INSERT INTO children VALUES(?,?,?)').run(i, 1 + (i % 100), i % 90)
      }),
  },
  {
    name: 'columns added later',
    build: (path, size) =>
      create(path, size, (db) => {
        fillEvents(200)(db)
        db.exec("ALTER TABLE events ADD COLUMN extra TEXT DEFAULT 'none'")
        db.exec('CREATE INDEX events_extra ON events(extra)')
        db.exec('ALTER TABLE users DROP COLUMN born')
      }),
  },
  {
    name: 'a deep tree',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE TABLE deep(id INTEGER PRIMARY KEY, long TEXT); CREATE INDEX deep_long ON deep(long)')
        const put = db.prepare('INSERT INTO deep VALUES(?,?)')
        db.transaction(() => {
          for (let i = 0; i < 1500; i++) put.run(i, `${(i * 7919) % 5003}`.padStart(90, 'k'))
        })()
      }),
  },
  {
    name: 'a schema of many pages',
    build: (path, size) =>
      create(path, size, (db) => {
        db.transaction(() => {
          for (let i = 0; i < 150; i++)
            db.exec(`CREATE TABLE "table ${i} ${'long'.repeat(i % 60)}"(a, b UNIQUE, "c ""${i}""")`)
        })()
      }),
  },
  {
    name: 'analyzed',
    build: (path, size) =>
      create(path, size, (db) => {
        fillEvents(300)(db)
        db.exec('ANALYZE')
      }),
  },
  {
    name: 'autoincrement',
    build: (path, size) =>
      create(path, size, (db) =>
        db.exec('CREATE TABLE s(id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO s(v) VALUES(1),(2),(3)'),
      ),
  },
  {
    name: 'WAL',
    build: (path, size) =>
      create(path, size, (db) => {
        db.pragma('journal_mode=WAL')
        fillEvents(300)(db)
      }),
  },
  {
    name: 'reserved bytes',
    build: (path, size) =>
      createReserved(path, size, 24, (db) => {
        fillEvents(400)(db)
        fillOverflow(db)
      }),
  },
  {
    name: 'a view before any table',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec('CREATE VIEW first AS SELECT 1 AS one')
        fillEvents(100)(db)
      }),
  },
  {
    name: 'extreme rowids and values',
    build: (path, size) =>
      create(path, size, (db) =>
        db.exec(`
          CREATE TABLE x(id INTEGER PRIMARY KEY, v);
          CREATE INDEX x_v ON x(v);
          INSERT INTO x VALUES(-9223372036854775808, NULL), (9223372036854775807, 1e308), (0, ''), (-1, x''),
            (9007199254740993, 9007199254740993), (5, 0.0), (6, 1)`),
      ),
  },
]

export const recipes: readonly Recipe[] = recipesOnce.map(({ name, build }) => ({
  name,
  build: (path, pageSize) => copyCached(`${name} ${pageSize}`, path, (at) => build(at, pageSize)),
}))
