/**
 * A backup names the root page of a table whose row of the schema is lost, and nothing shows that it is certain. The
 * rows there are orphaned, and an index whose row of the schema can be read names them too: each row counts once.
 */
import { expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import type { EditableDatabase } from '../../support/databases/surgeon.ts'
import { fillMany, zeroPage } from '../../support/salvage/salvage-and-compare.ts'
import { listedKeys } from '../../support/salvage/salvage-in-process.ts'
import { expectEachRowOnce, salvageWithBackup } from '../../support/salvage/salvage-with-backup.ts'

const loseRow = (patient: EditableDatabase): void =>
  patient.edit(1, (bytes) => {
    bytes.write('tabXe', bytes.indexOf('tablet'))
  })

const rowid = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL)'
const forms = {
  'an index has some columns': { schema: `${rowid}; CREATE INDEX i ON t(a)`, rows: 0 },
  'two indexes have all columns': {
    schema: `${rowid}; CREATE INDEX i ON t(a); CREATE INDEX j ON t(b DESC)`,
    rows: 400,
  },
  'an index has all columns': { schema: `${rowid}; CREATE INDEX i ON t(b, a)`, rows: 400 },
  'a UNIQUE index has all columns': { schema: `${rowid}; CREATE UNIQUE INDEX i ON t(a, b)`, rows: 400 },
  'it has no key': { schema: 'CREATE TABLE t(id, a, b); CREATE INDEX i ON t(a)', rows: 0 },
  'it is WITHOUT ROWID': {
    schema: 'CREATE TABLE t(id, a TEXT, b, PRIMARY KEY(a, id)) WITHOUT ROWID; CREATE INDEX i ON t(b)',
    rows: 400,
  },
  'it is WITHOUT ROWID, and the index has some columns': {
    schema: 'CREATE TABLE t(id, a TEXT, b, c DEFAULT 5, PRIMARY KEY(a, id)) WITHOUT ROWID; CREATE INDEX i ON t(b)',
    rows: 0,
  },
} as const

/** All rows come after the backup, and the schema has changed: so nothing shows where the table begins. */
const fill = fillMany('CREATE TABLE later(x)', 'INSERT INTO t(id, a, b) VALUES(?, ?, ?)', (i) => [
  i,
  `name${1000 + i}`,
  i % 2 === 0 ? i : i / 8,
])

test.each(Object.entries(forms))('%s: each row counts once', (_, { schema, rows }) => {
  using folder = makeFolder()
  const salvaged = salvageWithBackup(folder, { before: (db) => db.exec(schema), after: fill, wound: loseRow })
  expect(expectEachRowOnce(salvaged)).toBe(400 - rows)
  const t = salvaged.outcome.tables.find(({ table }) => table === 't')
  expect(t).toMatchObject({ rows, fromIndex: rows, orphaned: 400 - rows, unreadable: 0, doubted: 0 })
  expect(t?.orphanedTable).toBe(rows === 0 ? 'holdfast_orphaned_t' : null)
})

test('a page is lost too: its rows are unreadable, or rebuilt, and not orphaned', () => {
  using folder = makeFolder()
  const { schema } = forms['an index has some columns']
  const salvaged = salvageWithBackup(folder, {
    before: (db) => db.exec(schema),
    after: fill,
    wound: (patient) => {
      zeroPage(patient, patient.leaf('t'))
      loseRow(patient)
    },
  })
  const t = salvaged.outcome.tables.find(({ table }) => table === 't')
  expect(t?.unreadable).toBeGreaterThan(5)
  expect((t?.orphaned ?? 0) + (t?.unreadable ?? 0)).toBe(400)
  expect(t?.pages).toHaveLength(1)
  const keys = listedKeys(folder, 'orphaned', 'unreadable', 'from-index')
  expect(keys).toHaveLength(new Set(keys).size)
})

test('a cell that cannot be read is listed once, with an index and without', () => {
  for (const { schema } of [{ schema: rowid }, forms['an index has some columns']]) {
    using folder = makeFolder()
    const salvaged = salvageWithBackup(folder, {
      before: (db) => db.exec(schema),
      after: fill,
      wound: (patient) => {
        patient.edit(patient.leaf('t'), (bytes, { pointers }) => {
          const cell = bytes.readUInt16BE(pointers + 4)
          // Behind the length of the payload and a rowid of two bytes: the length of the header.
          bytes[cell + 3] = 0x7f
        })
        loseRow(patient)
      },
    })
    const t = salvaged.outcome.tables.find(({ table }) => table === 't')
    expect(t).toMatchObject({ rows: 0, orphaned: 399, unreadable: 1 })
    const orphaned = listedKeys(folder, 'orphaned')
    const others = salvaged.differences.missing.filter((key) => !orphaned.includes(key))
    expect(listedKeys(folder, 'unreadable')).toEqual(others)
  }
})

test('pages that were free in the backup, and have rows of a newer table, are read', () => {
  using folder = makeFolder()
  const gone = fillMany('CREATE TABLE gone(a)', 'INSERT INTO gone VALUES(?)', (i) => [`gone ${i} ${'x'.repeat(99)}`])
  const salvaged = salvageWithBackup(folder, {
    before: (db) => {
      gone(db)
      db.exec('DROP TABLE gone; CREATE TABLE t(id INTEGER PRIMARY KEY)')
    },
    after: fillMany('CREATE TABLE newer(a, b)', 'INSERT INTO newer VALUES(?, ?)', (i) => [i, 'y'.repeat(200)]),
    wound: (patient) => zeroPage(patient, 1),
  })
  expect(expectEachRowOnce(salvaged)).toBe(400)
})

test('an index, a trigger and a view of a table that is lost from the schema are not lost with it', () => {
  using folder = makeFolder()
  const schema = `${rowid}; CREATE INDEX i ON t(a); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;
    CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER h INSTEAD OF INSERT ON v BEGIN SELECT 1; END`
  const { outcome } = salvageWithBackup(folder, { before: (db) => db.exec(schema), after: fill, wound: loseRow })
  expect(outcome.lostObjects.map(({ name }) => name)).toEqual([null, 't'])
})

test('an index whose own row is damaged is named once', () => {
  using folder = makeFolder()
  const { schema } = forms['an index has some columns']
  const { outcome } = salvageWithBackup(folder, {
    before: (db) => db.exec(schema),
    after: fill,
    wound: (patient) => {
      loseRow(patient)
      // The name of its table.
      patient.edit(1, (bytes) => {
        bytes.write('X', bytes.indexOf('indexit') + 6)
      })
    },
  })
  expect(outcome.lostObjects.map(({ name }) => name)).toEqual([null, 't', 'i'])
})
