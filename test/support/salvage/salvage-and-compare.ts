/** Makes a database, wounds it, salvages it in this process, and compares its rows with those before the wound. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import type { Folder } from '../cli/folder.ts'
import { create, type Fill } from '../databases/create-database.ts'
import { EditableDatabase } from '../databases/surgeon.ts'
import {
  integrityBySqlite,
  readRows,
  rowDifferences,
  salvageInProcess,
  salvageNames,
  type ReadRows,
} from './salvage-in-process.ts'

interface ComparedSalvage {
  readonly result: string
  readonly truth: ReadRows
  readonly outcome: ReturnType<typeof salvageInProcess>
  readonly differences: ReturnType<typeof rowDifferences>
}

/** Makes a database, wounds it and salvages it. @param schema of the database, or the one that is there */
export function salvageAndCompare(
  folder: Folder,
  fill: Fill,
  wound: (database: EditableDatabase) => void,
  schema: boolean | 'as it is' = false,
): ComparedSalvage {
  const path = folder.in(salvageNames.damaged)
  create(path, 1024, (db) => {
    db.pragma('secure_delete=OFF')
    fill(db)
  })
  if (schema === true) copyFileSync(path, folder.in(salvageNames.schema))
  const truth = readRows(path)
  {
    using database = new EditableDatabase(path)
    wound(database)
  }
  const outcome = salvageInProcess(folder, schema !== false)
  const result = folder.in(salvageNames.result)
  expect(integrityBySqlite(result)).toBe('ok')
  return { result, truth, outcome, differences: rowDifferences(truth, readRows(result)) }
}

export const zeroPage = (database: EditableDatabase, page: number): void =>
  database.write(page, Buffer.alloc(database.layout.pageSize))

export const selectAll = (path: string, sql: string): readonly unknown[] => {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare(sql).raw().all()
  } finally {
    database.close()
  }
}

export const fillMany =
  (sql: string, insert: string, values: (i: number) => readonly unknown[], rows = 400): Fill =>
  (db) => {
    db.exec(sql)
    const put = db.prepare(insert)
    db.transaction(() => {
      for (let i = 1; i <= rows; i++) put.run(...values(i))
    })()
  }

export const people = fillMany(
  'CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, height REAL); CREATE INDEX by_both ON people(height, name)',
  'INSERT INTO people VALUES(?, ?, ?)',
  (i) => [i, `person ${i}`, i % 3 === 0 ? i : i / 7],
)
