import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { census } from '../support/census/census-both-ways.ts'
import { buildGenerated } from '../support/databases/build-generated.ts'
import { create, pageSizes, removeDatabase } from '../support/databases/create-database.ts'
import { generated } from '../support/databases/generated-database.ts'
import { recipes } from '../support/databases/recipes.ts'

const folder = mkdtempSync(join(tmpdir(), 'census-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)
const cases = Number(process.env['CASES'] ?? 80)

describe.each(pageSizes)('page size %i', (pageSize) => {
  test.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    'nothing is found in a healthy file: %s',
    (_, recipe) => {
      const path = fresh()
      recipe.build(path, pageSize)
      const { thrown, accounting, findings, skipped } = census(path)
      expect({ thrown, accounting, findings, skipped }).toEqual({
        thrown: null,
        accounting: [],
        findings: [],
        skipped: [],
      })
      removeDatabase(path)
    },
  )
})

test(`nothing is found in any of ${cases} generated databases, and VACUUM does not change their content`, () => {
  fc.assert(
    fc.property(generated, (shape) => {
      const path = fresh()
      buildGenerated(path, shape)
      const db = new Database(path)
      const said = db.pragma('integrity_check', { simple: true })
      const rows = db.prepare('SELECT count(*) FROM t NOT INDEXED').pluck().get()
      db.close()
      // Old bugs of SQLite can write a damaged file. What SQLite finds wrong here is not a healthy database.
      fc.pre(said === 'ok')
      const before = census(path)
      expect({
        thrown: before.thrown,
        accounting: before.accounting,
        findings: before.findings,
        skipped: before.skipped,
      }).toEqual({ thrown: null, accounting: [], findings: [], skipped: [] })
      expect(before.tally.entries[before.plan.trees.findIndex(({ object }) => object.name === 't')]).toBe(rows)
      // VACUUM writes the statements again, and this build would refuse these.
      if (shape.quoted) return removeDatabase(path)
      const again = new Database(path)
      again.pragma(`page_size=${shape.pageSize === 4096 ? 1024 : 4096}`)
      again.exec('VACUUM')
      again.close()
      const after = census(path, 1)
      expect(after.findings).toEqual([])
      expect(after.digests['t']).toBe(before.digests['t'])
      removeDatabase(path)
    }),
    { numRuns: cases, interruptAfterTimeLimit: 45_000 },
  )
})

test('a change of one value changes the digest of its table, and of no other table', () => {
  const path = fresh()
  create(path, 4096, (db) =>
    db.exec(
      "CREATE TABLE a(x, y REAL); CREATE TABLE b(x); INSERT INTO a VALUES(1, 2), ('x', 1.5); INSERT INTO b VALUES(1)",
    ),
  )
  const before = census(path).digests
  const db = new Database(path)
  db.exec('UPDATE a SET y = 3 WHERE x = 1')
  db.close()
  const after = census(path).digests
  expect(after['a']).not.toBe(before['a'])
  expect(after['b']).toBe(before['b'])
  const back = new Database(path)
  back.exec('UPDATE a SET y = 2 WHERE x = 1')
  back.close()
  expect(census(path).digests['a']).toBe(before['a'])
})
