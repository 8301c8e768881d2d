/** Every wound of the surgeon: rows are as they were, none is invented, and none is missing without being listed. */
import { copyFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../../support/databases/wounds.ts'
import {
  rowDifferences,
  integrityBySqlite,
  isRowidInLostRange,
  listedKeys,
  readRows,
  salvageInProcess,
  salvageNames,
} from '../../support/salvage/salvage-in-process.ts'

const layouts = [
  { pageSize: 1024, autoVacuum: false },
  { pageSize: 1024, autoVacuum: true },
  { pageSize: 4096, autoVacuum: false },
] as const

/** Damage of which every row survives: it is of an index, of the free list, of a pointer, or of the header. */
const losesNothing = new Set([
  'index entry removed',
  'value of an index entry changed',
  'index entries out of order',
  'index page zeroed',
  'interior page zeroed',
  'wrong count of fragmented bytes',
  'unused page',
  'child pointer 0',
  'child pointer out of range',
  'child pointer to a page of another table',
  'child pointer to the page itself',
  'child pointer to a free page',
  'child pointer over a level',
  'root page out of range',
  'two tables with one root',
  'index without its root',
  'page size of no power of two',
  'text encoding 5',
  'payload fractions',
  'schema format 9',
])

describe.each(layouts)('pages of $pageSize bytes, auto-vacuum: $autoVacuum', ({ pageSize, autoVacuum }) => {
  const mine = wounds.filter(({ only }) => only === undefined || autoVacuum)

  test.each(mine.map((wound) => [wound.name, wound] as const))('%s', (name, wound) => {
    using folder = makeFolder()
    const path = folder.in(salvageNames.damaged)
    createVariedDatabase(path, pageSize, autoVacuum)
    expect(forgetsNothing(path)).toBe(true)
    copyFileSync(path, folder.in('whole'))
    {
      using patient = new EditableDatabase(path)
      wound.make(patient)
    }
    const { lostObjects } = salvageInProcess(folder)
    const result = folder.in(salvageNames.result)
    expect(integrityBySqlite(result)).toBe('ok')
    const { missing, invented } = rowDifferences(readRows(folder.in('whole')), readRows(result))
    expect(invented).toEqual([])
    if (losesNothing.has(name)) expect(missing).toEqual([])
    if (lostObjects.length === 0) expect(missing.filter((row) => !isListed(folder, row))).toEqual([])
  })
})

/** A row that is missing is listed by its key, or its key lies where a page cannot be read. */
function isListed(folder: Folder, row: string): boolean {
  const [table = '', key = ''] = row.split(' ')
  return listedKeys(folder, 'unreadable', 'orphaned').includes(row) || isRowidInLostRange(folder, table, key)
}

/** True if SQLite leaves deleted rows in free pages: only then can a test catch rows that come back from the dead. */
function forgetsNothing(path: string): boolean {
  const database = new Database(path, { readonly: true })
  try {
    return database.pragma('secure_delete', { simple: true }) === 0
  } finally {
    database.close()
  }
}
