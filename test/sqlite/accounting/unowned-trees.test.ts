/** Pages that belong to nothing: lost space, or all that is left of a table that the schema does not name any more. */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { engines } from '../../../src/model/result/reading.ts'
import type { Diagnosis } from '../../../src/model/result/verdict.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { memoryFolder } from '../../support/databases/special-layouts.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { context } from '../../support/diagnosis.ts'
import { readInProcess } from '../../support/read-in-process.ts'

const folder = mkdtempSync(join(memoryFolder(), 'unowned-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0

/** A database with a table `lost` of so many rows; SQLite is built with or without secure delete, so it is set. */
function withTable(columns: string, rows: number, autoVacuum = false): string {
  const path = join(folder, `${++made}.db`)
  create(
    path,
    1024,
    (db) => {
      fillEvents(200)(db)
      db.exec(`CREATE TABLE lost${columns}`)
      const insert = db.prepare('INSERT INTO lost VALUES(?, ?, ?)')
      for (let i = 1; i <= rows; i++) insert.run(i, `key ${i}`, 'x'.repeat(90))
    },
    ['secure_delete=OFF', ...(autoVacuum ? ['auto_vacuum=FULL'] : [])],
  )
  return path
}

function loseFromSchema(path: string): void {
  const db = new Database(path)
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  db.exec(`DELETE FROM sqlite_schema WHERE tbl_name = 'lost'`)
  db.close()
}

const diagnosisOf = async (path: string, engine: (typeof engines)[number] = 'census'): Promise<Diagnosis> =>
  diagnose(await readInProcess(path, 'full', engine), context)

test.each(engines)('a table that the schema lost is shown to a person, with its rows (engine %s)', async (engine) => {
  const path = withTable('(a INTEGER PRIMARY KEY, b, c)', 100)
  expect(await diagnosisOf(path, engine)).toMatchObject({ verdict: { kind: 'sound' } })
  loseFromSchema(path)
  const { damage, findings, remedy } = await diagnosisOf(path, engine)
  expect([damage, remedy.do]).toEqual(['schema', 'ask'])
  expect(findings.find(({ rule }) => rule === 'tree-unowned')?.text).toMatch(
    /^\d+ of the pages that belong to nothing form a tree: 100 rows of 3 columns; a table may have been lost/,
  )
})

test('a table WITHOUT ROWID, and one in an auto-vacuum file, are recognized too', async () => {
  for (const path of [
    withTable('(a INTEGER PRIMARY KEY, b, c) WITHOUT ROWID', 100),
    withTable('(a INTEGER PRIMARY KEY, b, c)', 100, true),
  ]) {
    loseFromSchema(path)
    const { findings, remedy } = await diagnosisOf(path)
    expect(findings.map(({ rule }) => rule)).toContain('tree-unowned')
    expect(remedy.do).not.toBe('rebuild')
  }
})

test('leaves of a table whose root is gone are recognized as rows', async () => {
  const path = withTable('(a INTEGER PRIMARY KEY, b, c)', 20)
  {
    using database = new EditableDatabase(path)
    const root = database.root('lost')
    database.write(root, Buffer.alloc(database.layout.pageSize))
  }
  loseFromSchema(path)
  const { findings, remedy } = await diagnosisOf(path)
  expect(findings.find(({ rule }) => rule === 'tree-unowned')?.text).toContain('hold rows: 20 rows of 3 columns')
  expect(remedy.do).toBe('ask')
})

test('one leaked page is lost space: the file is rewritten', async () => {
  const path = withTable('(a INTEGER PRIMARY KEY, b, c)', 3)
  loseFromSchema(path)
  expect(await diagnosisOf(path)).toMatchObject({
    damage: 'structure',
    findings: [{ rule: 'page-unowned', severity: 'leak' }],
    remedy: { do: 'rebuild', rewrite: true },
  })
})

test('pages of a deleted table that the free list lost are no lost table, if the header counts them', async () => {
  const path = withTable('(a INTEGER PRIMARY KEY, b, c)', 100)
  const db = new Database(path)
  db.pragma('secure_delete=OFF')
  db.exec('DROP TABLE lost')
  db.close()
  {
    using database = new EditableDatabase(path)
    database.write32At(32, 0)
  }
  const counted = await diagnosisOf(path)
  expect(counted.findings.map(({ rule }) => rule)).not.toContain('tree-unowned')
  expect(counted).toMatchObject({ damage: 'structure', remedy: { do: 'rebuild', rewrite: true } })
  {
    using database = new EditableDatabase(path)
    database.write32At(36, 0)
  }
  // Now nothing says that the pages were free.
  expect((await diagnosisOf(path)).findings.map(({ rule }) => rule)).toContain('tree-unowned')
})
