import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Reading } from '../../src/model/result/reading.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { readInProcess } from '../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'wounds-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** SQLite's messages in this process; null if it says ok. */
function saidBySqlite(path: string): string | null {
  try {
    const db = new Database(path, { fileMustExist: true })
    try {
      const rows = db.prepare('PRAGMA integrity_check').pluck().all() as string[]
      return rows.length === 1 && rows[0] === 'ok' ? null : rows.join('\n')
    } finally {
      db.close()
    }
  } catch (error) {
    return String(error)
  }
}

const rulesOf = (reading: Reading): readonly string[] =>
  reading.facts.flatMap((fact) => (fact.kind === 'found' ? [fact.finding.rule] : []))

const ofEntries = new Set([
  'row-missing-from-index',
  'entry-without-row',
  'entry-differs-from-row',
  'index-out-of-order',
  'unique-violated',
])

describe.each([
  [1024, false],
  [1024, true],
  [4096, false],
  [4096, true],
] as const)('page size %i, auto-vacuum %s', (pageSize, autoVacuum) => {
  const healthyPath = (): string => join(folder, `varied-${pageSize}-${autoVacuum}.db`)
  beforeAll(() => createVariedDatabase(healthyPath(), pageSize, autoVacuum))

  test('the database is sound before it is wounded, at both depths', async () => {
    for (const depth of ['quick', 'full'] as const) {
      const reading = await readInProcess(healthyPath(), depth)
      expect(reading).toMatchObject({ facts: [], complete: true, coverage: { skipped: [] } })
      expect(reading.coverage.pagesRead).toBe(reading.coverage.pages)
    }
  })

  test.each(
    wounds.filter((wound) => autoVacuum || wound.only === undefined).map((wound) => [wound.name, wound] as const),
  )('%s', async (name, wound) => {
    const path = join(folder, `${pageSize}-${autoVacuum}-${name.replaceAll(' ', '-')}.db`)
    const forSqlite = `${path}.sqlite`
    copyFileSync(healthyPath(), path)
    let done: string
    {
      using database = new EditableDatabase(path)
      done = wound.make(database)
    }
    copyFileSync(path, forSqlite)
    const said = saidBySqlite(forSqlite)
    const reading = await readInProcess(path, 'full', 'sqlite')
    expect({ done, seen: said !== null }).toEqual({ done, seen: wound.sqliteSees })
    expect(reading.facts, done).not.toEqual([])
    expect(rulesOf(reading), `${done}\n${said}\n${JSON.stringify(reading.facts, null, 1)}`).toEqual(
      expect.arrayContaining([...wound.accounting]),
    )
    // The census names the rows behind SQLite's messages about indexes.
    const others = rulesOf(reading).filter((rule) => !ofEntries.has(rule))
    if (wound.accounting.length === 0) expect(others).toEqual([])
  })
})
