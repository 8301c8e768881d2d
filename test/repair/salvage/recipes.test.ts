/** Every kind of database: a healthy one comes out as it went in, and zeroed pages invent nothing. */
import { copyFileSync, openSync, statSync, writeSync, closeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { integersFrom } from '../../support/random.ts'
import {
  droppedEntries,
  rowDifferences,
  integrityBySqlite,
  readRows,
  salvageInProcess,
  salvageNames,
} from '../../support/salvage/salvage-in-process.ts'

/** Tables in which modules keep their indexes: rebuilt ones hold the same in other blocks. */
const isOfModule = (row: string): boolean =>
  /^\w+_(?:data|idx|docsize|segdir|segments|stat|node|parent|rowid) /.test(row)

interface WholeSchema {
  readonly objects: readonly unknown[]
  readonly pragmas: readonly unknown[]
}

function schemaOf(path: string): WholeSchema {
  const database = new Database(path, { readonly: true })
  try {
    const names = ['page_size', 'encoding', 'auto_vacuum', 'user_version', 'application_id', 'journal_mode']
    return {
      objects: database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all(),
      pragmas: names.map((name) => database.pragma(name, { simple: true })),
    }
  } finally {
    database.close()
  }
}

describe.each([1024, 4096])('with pages of %d bytes', (pageSize) => {
  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))('%s comes out as it went in', (_, recipe) => {
    using folder = makeFolder()
    const path = folder.in(salvageNames.damaged)
    recipe.build(path, pageSize)
    const [rows, schema] = [readRows(path), schemaOf(path)]
    const { tables, lostObjects, contradicted } = salvageInProcess(folder)
    const result = folder.in(salvageNames.result)
    expect(integrityBySqlite(result)).toBe('ok')
    expect(readRows(result)).toEqual(rows)
    expect(schemaOf(result)).toEqual(schema)
    expect([lostObjects, contradicted, droppedEntries(folder)]).toEqual([[], [], []])
    for (const table of tables)
      expect(table).toMatchObject({ orphaned: 0, doubted: 0, unreadable: 0, lostRanges: 0, fromIndex: 0, pages: [] })
  })

  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    '%s: no zeroed page invents a row',
    (_, recipe) => {
      using folder = makeFolder()
      const [whole, path] = [folder.in('whole'), folder.in(salvageNames.damaged)]
      recipe.build(whole, pageSize)
      const rows = readRows(whole)
      const pages = statSync(whole).size / pageSize
      const random = integersFrom(pages)
      for (let turn = 0; turn < Math.min(4, pages - 1); turn++) {
        copyFileSync(whole, path)
        const page = 2 + random(pages - 1)
        zero(path, page, pageSize)
        const { tables, lostObjects } = salvageInProcess(folder)
        const result = folder.in(salvageNames.result)
        expect(integrityBySqlite(result), `page ${page}`).toBe('ok')
        const { missing, invented } = rowDifferences(rows, readRows(result))
        expect(
          invented.filter((row) => !isOfModule(row)),
          `page ${page}`,
        ).toEqual([])
        const saysWhole =
          lostObjects.length === 0 &&
          tables.every(({ orphaned, unreadable, lostRanges }) => orphaned + unreadable + lostRanges === 0)
        if (saysWhole)
          expect(
            missing.filter((row) => !isOfModule(row)),
            `page ${page}`,
          ).toEqual([])
      }
    },
  )
})

function zero(path: string, page: number, pageSize: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(pageSize), 0, pageSize, (page - 1) * pageSize)
  closeSync(file)
}
