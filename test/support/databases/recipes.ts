/** Healthy databases of every feature, one function each. Small, closed when they return, and sound by construction. */

import { accessSync, closeSync, constants, openSync, readSync, rmSync, writeSync, ftruncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import Database from 'better-sqlite3'
import { copyCached } from './database-cache.ts'

export const pageSizes = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const

export interface Recipe {
  readonly name: string
  /** Creates the database at `path`, which must not exist. */
  readonly build: (path: string, pageSize: number) => void
}

type Fill = (db: Database.Database) => void

/** Opens a new database with this page size, fills it and closes it. */
export function create(path: string, pageSize: number, fill: Fill, pragmas: readonly string[] = []): void {
  const db = new Database(path)
  try {
    db.pragma(`page_size=${pageSize}`)
    for (const pragma of pragmas) db.pragma(pragma)
    db.pragma('synchronous=OFF')
    db.pragma('journal_mode=MEMORY') // Else a file is made and removed for each statement.
    fill(db)
  } finally {
    db.close()
  }
}

/** Whoever checks its constraints is busy for longer than anybody waits. */
export const fillSlow: Fill = (db) => {
  db.exec('CREATE TABLE slow(a CHECK(length(hex(hex(zeroblob(3000000 + a)))) > 0))')
  db.pragma('ignore_check_constraints=ON')
  db.exec(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO slow SELECT i FROM n',
  )
}

/** `events` with three indexes, `users` with one: rows enough for interior pages at small page sizes. */
export const fillEvents =
  (rows: number): Fill =>
  (db) => {
    db.exec(`CREATE TABLE events(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER, weight REAL, note TEXT);
    CREATE INDEX events_kind ON events(kind); CREATE INDEX events_at ON events(at DESC, kind); CREATE UNIQUE INDEX events_note ON events(note);
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, born INTEGER); CREATE INDEX users_name ON users(name);`)
    const event = db.prepare('INSERT INTO events VALUES(?,?,?,?,?)')
    const user = db.prepare('INSERT INTO users VALUES(?,?,?)')
    db.transaction(() => {
      for (let i = 1; i <= rows; i++) {
        event.run(
          i * 3,
          `kind-${i % 17}`,
          1_700_000_000 + ((i * 7919) % 100_003),
          i / 8,
          `note ${i} ${'x'.repeat(i % 40)}`,
        )
        if (i % 5 === 0) user.run(i, `User ${(i * 31) % 997}`, i % 3 === 0 ? null : 1950 + (i % 60))
      }
    })()
  }

const fillOverflow: Fill = (db) => {
  db.exec('CREATE TABLE blobs(id INTEGER PRIMARY KEY, body BLOB, tag TEXT); CREATE INDEX blobs_tag ON blobs(tag)')
  const put = db.prepare('INSERT INTO blobs VALUES(?,randomblob(?),?)')
  db.transaction(() => {
    for (let i = 1; i <= 30; i++) put.run(i, (i * i * 331) % 90_000, 'tag'.repeat((i * 97) % 900))
  })()
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
        db.exec(
          'CREATE TABLE pairs(a TEXT, b INTEGER, c TEXT, PRIMARY KEY(a, b ' +
            'DESC)) WITHOUT ROWID; CREATE INDEX pairs_c ON pairs(c)',
        )
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
        db.exec(
          'CREATE VIRTUAL TABLE notes USING fts5(title, body); CREATE ' +
            "VIRTUAL TABLE words USING fts5vocab(notes, 'row')",
        )
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
        db.exec(`CREATE VIEW heavy AS SELECT * FROM events WHERE weight > 9; CREATE TRIGGER touched AFTER UPDATE ON users BEGIN UPDATE events SET at = at + 1 WHERE id = new.id; END;
      CREATE INDEX events_late ON events(at) WHERE at > 1700050000; CREATE INDEX events_half ON events(weight / 2, lower(kind));
      CREATE TABLE sums(a INTEGER, b INTEGER, c INTEGER AS (a + b) STORED, d INTEGER AS (a * b) VIRTUAL); CREATE INDEX sums_c ON sums(c); CREATE INDEX sums_d ON sums(d)`)
        for (let i = 0; i < 100; i++) db.prepare('INSERT INTO sums VALUES(?,?)').run(i, i * 2)
      }),
  },
  {
    name: 'strict, with checks and foreign keys',
    build: (path, size) =>
      create(path, size, (db) => {
        db.exec(`CREATE TABLE parents(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
      CREATE TABLE children(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents(id), age INTEGER CHECK(age >= 0)) STRICT`)
        for (let i = 1; i <= 100; i++) db.prepare('INSERT INTO parents VALUES(?,?)').run(i, `p${i}`)
        for (let i = 1; i <= 300; i++) db.prepare('INSERT INTO children VALUES(?,?,?)').run(i, 1 + (i % 100), i % 90)
      }),
  },
  {
    name: 'columns added later',
    build: (path, size) =>
      create(path, size, (db) => {
        fillEvents(200)(db)
        db.exec(
          "ALTER TABLE events ADD COLUMN extra TEXT DEFAULT 'none'; CREATE INDEX " +
            'events_extra ON events(extra); ALTER TABLE users DROP COLUMN born',
        )
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
        db.exec(`CREATE TABLE x(id INTEGER PRIMARY KEY, v); CREATE INDEX x_v ON x(v);
      INSERT INTO x VALUES(-9223372036854775808, NULL),(9223372036854775807, 1e308),(0, ''),(-1, x''),(9007199254740993, 9007199254740993),(5, 0.0),(6, 1)`),
      ),
  },
]

export const recipes: readonly Recipe[] = recipesOnce.map(({ name, build }) => ({
  name,
  build: (path, pageSize) => copyCached(`${name} ${pageSize}`, path, (mould) => build(mould, pageSize)),
}))

/**
 * A database whose pages keep bytes free at their end, as SQLite's extensions ask for it. better-sqlite3 cannot, so the
 * empty file is made so by hand.
 */
export function createReserved(path: string, pageSize: number, reserved: number, fill: Fill): void {
  create(path, pageSize, (db) => db.pragma('user_version=1'))
  const file = openSync(path, 'r+')
  try {
    const first = Buffer.alloc(pageSize)
    readSync(file, first, 0, pageSize, 0)
    first[20] = reserved
    first.writeUInt16BE((pageSize - reserved) % 65_536, 105)
    writeSync(file, first, 0, pageSize, 0)
  } finally {
    closeSync(file)
  }
  create(path, pageSize, fill)
}

/** Where holes of sparse files cost little to read: a file system on a disk fills a page of memory for each. */
export const memoryFolder = (): string => {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

/**
 * A sparse file that reaches over the lock-byte page at 1 GiB: all but the last pages are free, one table lies on both
 * sides of it.
 */
export function createBeyondLockByte(path: string, autoVacuum: boolean): void {
  const pageSize = 65_536
  create(
    path,
    pageSize,
    (db) => db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 2)'),
    autoVacuum ? ['auto_vacuum=INCREMENTAL'] : [],
  )
  const lockPage = 0x40000000 / pageSize + 1
  const pageCount = lockPage + 40
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file, pageCount * pageSize)
    const header = Buffer.alloc(100)
    readSync(file, header, 0, 100, 0)
    const firstFree = header.readUInt32BE(28) + 1
    const perMap = Math.floor(pageSize / 5) + 1
    const isMap = (page: number): boolean => autoVacuum && (page - 2) % perMap === 0
    const free: number[] = []
    for (let page = firstFree; page <= pageCount; page++) if (page !== lockPage && !isMap(page)) free.push(page)
    const total = free.length
    let next = 0
    // SQLite takes the last trunk of our making first: the pages behind the lock-byte page are to be used soon.
    while (free.length > 0) {
      const trunk = free.shift() ?? 0
      const leaves = free.splice(0, Math.floor(pageSize / 4) - 8)
      const page = Buffer.alloc(8 + 4 * leaves.length)
      page.writeUInt32BE(next, 0)
      page.writeUInt32BE(leaves.length, 4)
      leaves.forEach((leaf, i) => page.writeUInt32BE(leaf, 8 + 4 * i))
      writeSync(file, page, 0, page.length, (trunk - 1) * pageSize)
      if (autoVacuum) {
        for (const leaf of [trunk, ...leaves]) {
          const map = Math.floor((leaf - 2) / perMap) * perMap + 2
          writeSync(file, Buffer.from([2, 0, 0, 0, 0]), 0, 5, (map - 1) * pageSize + 5 * (leaf - map - 1))
        }
      }
      next = trunk
    }
    header.writeUInt32BE(pageCount, 28)
    header.writeUInt32BE(next, 32)
    header.writeUInt32BE(total, 36)
    writeSync(file, header, 0, 100, 0)
  } finally {
    closeSync(file)
  }
  const db = new Database(path)
  try {
    db.prepare('INSERT INTO t VALUES(2, randomblob(3000000))').run()
  } finally {
    db.close()
  }
}

export function removeDatabase(path: string): void {
  for (const part of ['', '-wal', '-shm', '-journal']) rmSync(path + part, { force: true })
}
