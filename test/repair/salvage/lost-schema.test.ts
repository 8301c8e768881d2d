/** Rows of tables whose statement, or whose row of the schema, is lost. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { create, type Fill } from '../../support/databases/create-database.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { fillMany, people, salvageAndCompare, selectAll } from '../../support/salvage/salvage-and-compare.ts'
import {
  listedKeys,
  readRows,
  rowDifferences,
  salvageInProcess,
  salvageNames,
} from '../../support/salvage/salvage-in-process.ts'

describe('a statement is no SQL any more', () => {
  const fill: Fill = (db) => {
    people(db)
    db.exec('CREATE TABLE others(a)')
  }
  const garble = (patient: EditableDatabase): void =>
    patient.edit(1, (bytes) => {
      bytes.write('CREATEX', bytes.indexOf('CREATE TABLE people'))
    })

  test('its rows are in a table without names, and their rowids are listed', () => {
    using folder = makeFolder()
    const { result, outcome } = salvageAndCompare(folder, fill, garble)
    expect(outcome.lostObjects.map(({ name }) => name)).toEqual(['people', 'by_both'])
    expect(selectAll(result, 'SELECT count(DISTINCT rowid_) FROM holdfast_orphaned')).toEqual([[400]])
    expect(listedKeys(folder, 'orphaned')).toHaveLength(400)
    expect(selectAll(folder.in(salvageNames.facts), 'SELECT name FROM made')).toEqual([['holdfast_orphaned']])
  })

  test('that of a backup takes its place, with the tree that the damaged file names', () => {
    using folder = makeFolder()
    const older = folder.in(salvageNames.schema)
    create(older, 1024, (db) => db.exec('CREATE TABLE gone(x)'))
    const path = folder.in('statements')
    create(path, 1024, fill)
    const statements = selectAll(path, "SELECT sql FROM sqlite_schema WHERE tbl_name = 'people' ORDER BY rowid").flat()
    const database = new Database(older)
    database.exec(statements.join(';'))
    database.close()
    const { outcome, differences, result } = salvageAndCompare(folder, fill, garble, 'as it is')
    expect(differences).toEqual({ missing: [], invented: [] })
    expect(outcome.lostObjects).toMatchObject([{ kind: 'table', name: 'people' }])
    expect(outcome.lostObjects[0]?.why).toContain('the statement is that of the backup')
    expect(selectAll(result, 'SELECT count(*) FROM people INDEXED BY by_both')).toEqual([[400]])
    expect(selectAll(result, "SELECT 1 FROM sqlite_schema WHERE name = 'gone'")).toEqual([])
  })
})

describe('the row of a table is lost from the schema', () => {
  const fill: Fill = (db) => {
    people(db)
    db.exec('CREATE TABLE others(a)')
  }
  const garble = (patient: EditableDatabase): void =>
    patient.edit(1, (bytes) => {
      bytes.write('tabXe', bytes.indexOf('tablepeople'))
    })

  test('its rows are in a table without names', () => {
    using folder = makeFolder()
    const { result, outcome, differences } = salvageAndCompare(folder, fill, garble)
    expect(differences.invented).toEqual([])
    expect(outcome.lostObjects.map(({ kind }) => kind)).toContain('unknown')
    expect(selectAll(result, 'SELECT count(*), count(DISTINCT rowid_) FROM holdfast_orphaned')).toEqual([[400, 400]])
  })

  const twins = (patient: EditableDatabase): void =>
    patient.edit(1, (bytes) => {
      for (const name of ['one', 'two']) bytes.write('tabXe', bytes.indexOf(`table${name}`))
    })
  const moving =
    'ALTER TABLE one RENAME TO x; CREATE TABLE one(a, b); INSERT INTO one SELECT a, b FROM x; DROP TABLE x; VACUUM'
  const oldHeader = (patient: EditableDatabase, older: string): void => {
    using backup = new EditableDatabase(older)
    patient.edit(1, (bytes) => backup.read(1).copy(bytes, 0, 0, 100))
  }
  /** Behind the end that the header says. */
  const grow = (patient: EditableDatabase): void => patient.truncate(patient.bytes + 1024)
  const changes = [
    ['the same schema', '', null, 400, 0],
    ['the same schema, and the file grew without its header', '', grow, 0, 800],
    ['other root pages since', moving, null, 0, 800],
    ['other root pages since, and its header', moving, oldHeader, 0, 800],
  ] as const

  test.each(changes)(
    'two tables of one form, and a backup with %s: no row is in the wrong table',
    (_, after, wound, rows, orphaned) => {
      using folder = makeFolder()
      const path = folder.in(salvageNames.damaged)
      create(path, 1024, (db) => {
        for (const name of ['one', 'two'])
          fillMany(`CREATE TABLE ${name}(a TEXT, b TEXT)`, `INSERT INTO ${name} VALUES(?, ?)`, (i) => [name, `b${i}`])(
            db,
          )
      })
      copyFileSync(path, folder.in(salvageNames.schema))
      const database = new Database(path)
      database.exec(after)
      database.close()
      const truth = readRows(path)
      {
        using patient = new EditableDatabase(path)
        twins(patient)
        wound?.(patient, folder.in(salvageNames.schema))
      }
      const { tables } = salvageInProcess(folder, true)
      expect(rowDifferences(truth, readRows(folder.in(salvageNames.result))).invented).toEqual([])
      expect(tables).toMatchObject([
        { table: 'one', rows },
        { table: 'two', rows },
      ])
      expect(tables.reduce((sum, one) => sum + one.orphaned, 0)).toBe(orphaned)
    },
  )

  test('its page may be that of a newer table, of which the schema has no readable row', () => {
    using folder = makeFolder()
    const path = folder.in(salvageNames.damaged)
    const fillOne = fillMany('CREATE TABLE one(a TEXT, b TEXT)', 'INSERT INTO one VALUES(?, ?)', (i) => [
      'one',
      `b${i}`,
    ])
    create(path, 1024, fillOne)
    copyFileSync(path, folder.in(salvageNames.schema))
    const database = new Database(path)
    database.exec('DROP TABLE one')
    fillMany('CREATE TABLE two(a TEXT, b TEXT)', 'INSERT INTO two VALUES(?, ?)', (i) => ['two', `b${i}`], 300)(database)
    database.close()
    {
      using patient = new EditableDatabase(path)
      patient.edit(1, (bytes) => {
        bytes.write('tabXe', bytes.indexOf('tabletwo'))
      })
    }
    const { tables } = salvageInProcess(folder, true)
    expect(tables).toMatchObject([{ table: 'one', rows: 0, orphaned: 300, lostRanges: 1 }])
  })

  test('with the schema of a backup they are in their table', () => {
    using folder = makeFolder()
    const { outcome, differences } = salvageAndCompare(folder, fill, garble, true)
    expect(differences).toEqual({ missing: [], invented: [] })
    expect(outcome.lostObjects.map(({ name }) => name)).toContain('people')
  })
})
