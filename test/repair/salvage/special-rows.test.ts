/** Rows that only care brings back: from indexes, by a schema of a backup, with bytes that are no text. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { create, type Fill } from '../../support/databases/create-database.ts'
import { dropCell, Patient } from '../../support/databases/surgeon.ts'
import {
  rowDifferences,
  integrityBySqlite,
  isRowidInLostRange,
  listedKeys,
  readRows,
  salvageInProcess,
  salvageNames,
  type ReadRows,
} from '../../support/salvage/salvage-in-process.ts'

interface Salvage {
  readonly result: string
  readonly truth: ReadRows
  readonly outcome: ReturnType<typeof salvageInProcess>
  readonly differences: ReturnType<typeof rowDifferences>
}

/** Makes a database, wounds it and salvages it. @param schema of the database, or the one that is there */
function salvaged(
  folder: Folder,
  fill: Fill,
  wound: (patient: Patient) => void,
  schema: boolean | 'as it is' = false,
): Salvage {
  const path = folder.in(salvageNames.damaged)
  create(path, 1024, (db) => {
    db.pragma('secure_delete=OFF')
    fill(db)
  })
  if (schema === true) copyFileSync(path, folder.in(salvageNames.schema))
  const truth = readRows(path)
  {
    using patient = new Patient(path)
    wound(patient)
  }
  const outcome = salvageInProcess(folder, schema !== false)
  const result = folder.in(salvageNames.result)
  expect(integrityBySqlite(result)).toBe('ok')
  return { result, truth, outcome, differences: rowDifferences(truth, readRows(result)) }
}

const zero = (patient: Patient, page: number): void => patient.write(page, Buffer.alloc(patient.layout.pageSize))

const all = (path: string, sql: string): readonly unknown[] => {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare(sql).raw().all()
  } finally {
    database.close()
  }
}

const many =
  (sql: string, insert: string, values: (i: number) => readonly unknown[], rows = 400): Fill =>
  (db) => {
    db.exec(sql)
    const put = db.prepare(insert)
    db.transaction(() => {
      for (let i = 1; i <= rows; i++) put.run(...values(i))
    })()
  }

const people = many(
  'CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, height REAL); CREATE INDEX by_both ON people(height, name)',
  'INSERT INTO people VALUES(?, ?, ?)',
  (i) => [i, `person ${i}`, i % 3 === 0 ? i : i / 7],
)

describe('indexes', () => {
  test('rows of a lost page are rebuilt if entries hold all of their columns', () => {
    using folder = makeFolder()
    const { outcome, differences } = salvaged(folder, people, (patient) => zero(patient, patient.leaf('people')))
    expect(differences).toEqual({ missing: [], invented: [] })
    const [table] = outcome.tables
    expect(table).toMatchObject({ table: 'people', rows: 400, orphaned: 0, unreadable: 0, lostRanges: 0 })
    expect(table?.fromIndex).toBeGreaterThan(5)
    expect(listedKeys(folder, 'from-index')).toHaveLength(table?.fromIndex ?? 0)
  })

  test('a row that was deleted does not come back from an index', () => {
    using folder = makeFolder()
    const { differences, outcome } = salvaged(folder, people, (patient) => {
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
    const { differences } = salvaged(folder, fill, (patient) => {
      zero(patient, patient.leaf('people'))
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
    const fill = many(
      'CREATE TABLE pairs(a TEXT, b INTEGER, c, PRIMARY KEY(a, b DESC)) WITHOUT ROWID; CREATE INDEX by_c ON pairs(c)',
      'INSERT INTO pairs VALUES(?, ?, ?)',
      (i) => [`a${i % 9}`, i, i % 2 === 0 ? `value ${i}` : null],
    )
    const { outcome, differences } = salvaged(folder, fill, (patient) => zero(patient, patient.leaf('pairs')))
    expect(differences).toEqual({ missing: [], invented: [] })
    expect(outcome.tables[0]?.fromIndex).toBeGreaterThan(5)
  })
})

test('rows that break a UNIQUE index are moved to a table of their own, and nothing is lost', () => {
  using folder = makeFolder()
  const fill = many('CREATE TABLE t(id INTEGER PRIMARY KEY, u TEXT UNIQUE)', 'INSERT INTO t VALUES(?, ?)', (i) => [
    i,
    `u${String(i).padStart(3, '0')}`,
  ])
  const { result, outcome } = salvaged(folder, fill, (patient) => {
    patient.edit(patient.leaf('t'), (bytes) => {
      const at = bytes.indexOf('u', 20 + bytes.readUInt16BE(5))
      bytes.write('u001', at)
    })
  })
  expect(outcome.contradicted).toEqual([{ index: 'sqlite_autoindex_t_1', table: 't', rows: 1, undecided: 0 }])
  expect(outcome.tables[0]).toMatchObject({ table: 't', rows: 399, orphaned: 1 })
  expect(all(result, 'SELECT count(*) FROM (SELECT id FROM t UNION ALL SELECT id FROM holdfast_orphaned_t)')).toEqual([
    [400],
  ])
  expect(all(result, 'SELECT u FROM holdfast_orphaned_t')).toEqual([['u001']])
})

test('rows of pages that are free never come back', () => {
  using folder = makeFolder()
  const fill: Fill = (db) => {
    people(db)
    db.exec('DELETE FROM people WHERE id > 100')
  }
  const { result, differences, outcome } = salvaged(folder, fill, (patient) => zero(patient, patient.root('people')))
  expect(differences.invented).toEqual([])
  expect(all(result, "SELECT name FROM sqlite_schema WHERE name LIKE 'holdfast%'")).toEqual([])
  expect(outcome.tables[0]).toMatchObject({ rows: 100, orphaned: 0 })
})

test('leaves are orphaned, and not given to a table, if two tables may have owned them', () => {
  using folder = makeFolder()
  const fill: Fill = (db) => {
    for (const name of ['one', 'two'])
      many(`CREATE TABLE ${name}(a TEXT, b TEXT)`, `INSERT INTO ${name} VALUES(?, ?)`, (i) => [
        `${name} ${i}`,
        `b${i}`,
      ])(db)
  }
  const { result, differences } = salvaged(folder, fill, (patient) => {
    zero(patient, patient.root('one'))
    zero(patient, patient.root('two'))
  })
  expect(differences.invented).toEqual([])
  expect(differences.missing).toHaveLength(800)
  expect(all(result, 'SELECT count(*) FROM holdfast_orphaned_one')).toEqual([[800]])
  for (const row of differences.missing)
    expect(isRowidInLostRange(folder, row.split(' ')[0] ?? '', row.split(' ')[1] ?? ''))
})

test('values are exact: bytes that are no text, whole reals, empty texts and BLOBs', () => {
  using folder = makeFolder()
  const { differences, outcome } = salvaged(
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

describe('a statement is no SQL any more', () => {
  const fill: Fill = (db) => {
    people(db)
    db.exec('CREATE TABLE others(a)')
  }
  const garble = (patient: Patient): void =>
    patient.edit(1, (bytes) => {
      bytes.write('CREATEX', bytes.indexOf('CREATE TABLE people'))
    })

  test('its rows are in a table without names, and their rowids are listed', () => {
    using folder = makeFolder()
    const { result, outcome } = salvaged(folder, fill, garble)
    expect(outcome.lostObjects.map(({ name }) => name)).toEqual(['people', 'by_both'])
    expect(all(result, 'SELECT count(DISTINCT rowid_) FROM holdfast_orphaned')).toEqual([[400]])
    expect(listedKeys(folder, 'orphaned')).toHaveLength(400)
    expect(all(folder.in(salvageNames.facts), 'SELECT name FROM made')).toEqual([['holdfast_orphaned']])
  })

  test('that of a backup takes its place, with the tree that the damaged file names', () => {
    using folder = makeFolder()
    const older = folder.in(salvageNames.schema)
    create(older, 1024, (db) => db.exec('CREATE TABLE gone(x)'))
    const path = folder.in('statements')
    create(path, 1024, fill)
    const statements = all(path, "SELECT sql FROM sqlite_schema WHERE tbl_name = 'people' ORDER BY rowid").flat()
    const database = new Database(older)
    database.exec(statements.join(';'))
    database.close()
    const { outcome, differences, result } = salvaged(folder, fill, garble, 'as it is')
    expect(differences).toEqual({ missing: [], invented: [] })
    expect(outcome.lostObjects).toMatchObject([{ kind: 'table', name: 'people' }])
    expect(outcome.lostObjects[0]?.why).toContain('the statement is that of the backup')
    expect(all(result, 'SELECT count(*) FROM people INDEXED BY by_both')).toEqual([[400]])
    expect(all(result, "SELECT 1 FROM sqlite_schema WHERE name = 'gone'")).toEqual([])
  })
})

describe('the row of a table is lost from the schema', () => {
  const fill: Fill = (db) => {
    people(db)
    db.exec('CREATE TABLE others(a)')
  }
  const garble = (patient: Patient): void =>
    patient.edit(1, (bytes) => {
      bytes.write('tabXe', bytes.indexOf('tablepeople'))
    })

  test('its rows are in a table without names', () => {
    using folder = makeFolder()
    const { result, outcome, differences } = salvaged(folder, fill, garble)
    expect(differences.invented).toEqual([])
    expect(outcome.lostObjects.map(({ kind }) => kind)).toContain('unknown')
    expect(all(result, 'SELECT count(*), count(DISTINCT rowid_) FROM holdfast_orphaned')).toEqual([[400, 400]])
  })

  test('with the schema of a backup they are in their table', () => {
    using folder = makeFolder()
    const { outcome, differences } = salvaged(folder, fill, garble, true)
    expect(differences).toEqual({ missing: [], invented: [] })
    expect(outcome.lostObjects.map(({ name }) => name)).toContain('people')
  })
})
