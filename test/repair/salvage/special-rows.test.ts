/** Rows that only care brings back: from indexes, from pages that nothing names, with bytes that are no text. */
import { describe, expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import type { Fill } from '../../support/databases/create-database.ts'
import { dropCell, type EditableDatabase } from '../../support/databases/surgeon.ts'
import { fillMany, people, salvageAndCompare, selectAll, zeroPage } from '../../support/salvage/salvage-and-compare.ts'
import { isRowidInLostRange, listedKeys } from '../../support/salvage/salvage-in-process.ts'

describe('indexes', () => {
  test('rows of a lost page are rebuilt if entries hold all of their columns', () => {
    using folder = makeFolder()
    const { outcome, differences } = salvageAndCompare(folder, people, (patient) =>
      zeroPage(patient, patient.leaf('people')),
    )
    expect(differences).toEqual({ missing: [], invented: [] })
    const [table] = outcome.tables
    expect(table).toMatchObject({ table: 'people', rows: 400, orphaned: 0, unreadable: 0, lostRanges: 0 })
    expect(table?.fromIndex).toBeGreaterThan(5)
    expect(listedKeys(folder, 'from-index')).toHaveLength(table?.fromIndex ?? 0)
  })

  test('two spellings of one key in two indexes: the row cannot be read, and others are rebuilt', () => {
    using folder = makeFolder()
    const fill = fillMany(
      `CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v TEXT) WITHOUT ROWID;
        CREATE INDEX i ON t(v); CREATE INDEX j ON t(v)`,
      'INSERT INTO t VALUES(?, ?)',
      (i) => [`abc${1000 + i}`, `v${1000 + i}`],
    )
    const { outcome, differences } = salvageAndCompare(folder, fill, (patient) => {
      const having = (name: string): number =>
        patient.pages(name).find((page) => patient.read(page).includes('abc1005')) ?? 0
      patient.edit(having('j'), (bytes) => {
        bytes.write('Abc', bytes.indexOf('abc1005'))
      })
      for (const name of ['i', 'j']) zeroPage(patient, patient.pages(name).at(-1) ?? 0)
      zeroPage(patient, having('t'))
    })
    expect(differences.invented).toEqual([])
    expect(differences.missing).toContain("t 'abc1005'")
    expect(differences.missing).toHaveLength(1)
    expect(outcome.tables[0]?.fromIndex).toBeGreaterThan(5)
    expect(outcome.tables[0]?.unreadable).toBeGreaterThan(0)
  })

  test('a row that was deleted does not come back from an index', () => {
    using folder = makeFolder()
    const { differences, outcome } = salvageAndCompare(folder, people, (patient) => {
      const leaf = patient.leaf('people')
      if (patient.read(leaf).readUInt16BE(1) !== 0) throw new Error('the leaf has free blocks')
      dropCell(patient, leaf, 1)
    })
    expect(differences.invented).toEqual([])
    expect(differences.missing).toHaveLength(1)
    expect(outcome.tables[0]).toMatchObject({ fromIndex: 0, unreadable: 1 })
    expect(listedKeys(folder, 'unreadable')).toEqual(differences.missing)
  })

  test('rows whose entries disagree are not rebuilt, and their keys are listed', () => {
    using folder = makeFolder()
    const fill: Fill = (db) => {
      people(db)
      db.exec('CREATE INDEX by_name ON people(name)')
    }
    const { differences } = salvageAndCompare(folder, fill, (patient) => {
      zeroPage(patient, patient.leaf('people'))
      for (const page of patient.pages('by_name'))
        patient.edit(page, (bytes) => {
          for (let at = 0; (at = bytes.indexOf('person', at)) >= 0; at++) bytes.write('PERSON', at)
        })
    })
    expect(differences.invented).toEqual([])
    expect(differences.missing.length).toBeGreaterThan(5)
    expect(new Set(listedKeys(folder, 'unreadable'))).toEqual(new Set(differences.missing))
  })

  test('a table WITHOUT ROWID is rebuilt too', () => {
    using folder = makeFolder()
    const fill = fillMany(
      'CREATE TABLE pairs(a TEXT, b INTEGER, c, PRIMARY KEY(a, b DESC)) WITHOUT ROWID; CREATE INDEX by_c ON pairs(c)',
      'INSERT INTO pairs VALUES(?, ?, ?)',
      (i) => [`a${i % 9}`, i, i % 2 === 0 ? `value ${i}` : null],
    )
    const { outcome, differences } = salvageAndCompare(folder, fill, (patient) =>
      zeroPage(patient, patient.leaf('pairs')),
    )
    expect(differences).toEqual({ missing: [], invented: [] })
    expect(outcome.tables[0]?.fromIndex).toBeGreaterThan(5)
  })
})

test('each lost row of a table WITHOUT ROWID is listed by its complete key, however alike the keys begin', () => {
  using folder = makeFolder()
  const keyOf = (i: number): string => `${'long '.repeat(400)}${1000 + i}`
  const fill = fillMany(
    'CREATE TABLE t(k TEXT PRIMARY KEY, v TEXT, w TEXT) WITHOUT ROWID; CREATE INDEX i ON t(v)',
    'INSERT INTO t VALUES(?, ?, ?)',
    (i) => [keyOf(i), `v${i}`, `w${i}`],
    20,
  )
  const { outcome, differences } = salvageAndCompare(folder, fill, (patient) => zeroPage(patient, patient.leaf('t')))
  expect(differences.missing.length).toBeGreaterThan(1)
  expect(outcome.tables[0]?.unreadable).toBe(differences.missing.length)
  const listed = selectAll(folder.in('facts'), "SELECT key FROM keys WHERE kind = 'unreadable' ORDER BY key").flat()
  expect(listed.map((key) => `t '${(JSON.parse(String(key)) as readonly string[])[0]}'`)).toEqual(
    differences.missing.toSorted(),
  )
})

test('rows that break a UNIQUE index are moved to a table of their own, and nothing is lost', () => {
  using folder = makeFolder()
  const fill = fillMany('CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE)', 'INSERT INTO t VALUES(?, ?)', (i) => [
    i,
    `u${String(i).padStart(3, '0')}`,
  ])
  const { result, outcome } = salvageAndCompare(folder, fill, (patient) => {
    patient.edit(patient.leaf('t'), (bytes) => {
      const at = bytes.indexOf('u', 20 + bytes.readUInt16BE(5))
      bytes.write('u001', at)
    })
  })
  expect(outcome.contradicted).toEqual([{ index: 'sqlite_autoindex_t_1', table: 't', rows: 1, undecided: 0 }])
  expect(outcome.tables[0]).toMatchObject({ table: 't', rows: 399, orphaned: 1 })
  expect(
    selectAll(result, 'SELECT count(*) FROM (SELECT id FROM t UNION ALL SELECT id FROM holdfast_orphaned_t)'),
  ).toEqual([[400]])
  expect(selectAll(result, 'SELECT u FROM holdfast_orphaned_t')).toEqual([['u001']])
})

test('rows of pages that are free never come back', () => {
  using folder = makeFolder()
  const fill: Fill = (db) => {
    people(db)
    db.exec('DELETE FROM people WHERE id > 100')
  }
  const { result, differences, outcome } = salvageAndCompare(folder, fill, (patient) =>
    zeroPage(patient, patient.root('people')),
  )
  expect(differences.invented).toEqual([])
  expect(selectAll(result, "SELECT name FROM sqlite_schema WHERE name LIKE 'holdfast%'")).toEqual([])
  expect(outcome.tables[0]).toMatchObject({ rows: 100, orphaned: 0 })
})

const trunks = [
  ['', () => undefined],
  [
    ', and it names a page behind the end of the file',
    (patient: EditableDatabase) =>
      patient.write32At((patient.header.freelistTrunk - 1) * 1024 + 8, patient.bytes / 1024 + 5),
  ],
] as const

test.each(trunks)('deleted rows do not come back if the header knows nothing of the free list any more%s', (_, cut) => {
  using folder = makeFolder()
  const fill: Fill = (db) => {
    people(db)
    db.exec(`DELETE FROM people; WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
      INSERT INTO people SELECT i, 'new ' || i, i FROM n`)
  }
  const { differences, outcome } = salvageAndCompare(folder, fill, (patient) => {
    cut(patient)
    patient.edit(1, (bytes) => bytes.fill(0, 32, 40))
    zeroPage(patient, patient.root('people'))
  })
  expect(differences.invented).toEqual([])
  expect(outcome.tables[0]?.orphaned).toBeGreaterThan(100)
})

test('leaves of a lost page are given to their table while no page is free', () => {
  using folder = makeFolder()
  const { differences } = salvageAndCompare(folder, people, (patient) => zeroPage(patient, patient.root('people')))
  expect(differences).toEqual({ missing: [], invented: [] })
})

test('leaves are orphaned, and not given to a table, if two tables may have owned them', () => {
  using folder = makeFolder()
  const fill: Fill = (db) => {
    for (const name of ['one', 'two'])
      fillMany(`CREATE TABLE ${name}(a TEXT, b TEXT)`, `INSERT INTO ${name} VALUES(?, ?)`, (i) => [
        `${name} ${i}`,
        `b${i}`,
      ])(db)
  }
  const { result, differences } = salvageAndCompare(folder, fill, (patient) => {
    zeroPage(patient, patient.root('one'))
    zeroPage(patient, patient.root('two'))
  })
  expect(differences.invented).toEqual([])
  expect(differences.missing).toHaveLength(800)
  expect(selectAll(result, 'SELECT count(*) FROM holdfast_orphaned_one')).toEqual([[800]])
  for (const row of differences.missing)
    expect(isRowidInLostRange(folder, row.split(' ')[0] ?? '', row.split(' ')[1] ?? ''))
})

test('values are exact: bytes that are no text, whole reals, empty texts and BLOBs', () => {
  using folder = makeFolder()
  const { differences, outcome } = salvageAndCompare(
    folder,
    (db) =>
      db.exec(`CREATE TABLE x(v, w REAL, s TEXT DEFAULT 'later');
        INSERT INTO x VALUES(CAST(x'ff00fe' AS TEXT), 3.0, ''), (3.0, 7, x''), (3, -0.0, CAST(x'00' AS TEXT)),
          (9223372036854775807, 9e99, NULL), (x'', 0.1, 'a'), ('', -9223372036854775808, 'ü');
        ALTER TABLE x ADD COLUMN added INTEGER NOT NULL DEFAULT 42;
        ALTER TABLE x ADD COLUMN double AS (w * 2) VIRTUAL`),
    () => {},
  )
  expect(differences).toEqual({ missing: [], invented: [] })
  expect(outcome.tables).toMatchObject([{ table: 'x', rows: 6 }])
})
