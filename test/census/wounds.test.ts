import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { readHeader } from '../../src/sqlite/header.ts'
import { census } from '../support/census/census-both-ways.ts'
import { buildGenerated } from '../support/databases/build-generated.ts'
import { removeDatabase } from '../support/databases/create-database.ts'
import { generated } from '../support/databases/generated-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { tryExactRows } from '../support/differential/exact-rows.ts'
import { askInProcess, damage } from '../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'census-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0
const fresh = (): string => join(folder, `${++made}.db`)
const cases = Number(process.env['CASES'] ?? 50)

test(`changes that an index missed, and entries that it lost, are reported by row (${cases} databases)`, async () => {
  let differing = 0
  await fc.assert(
    fc.asyncProperty(generated, fc.nat({ max: 31 }), async (shape, seed) => {
      differing += (await tryExactRows(folder, shape, seed)) ?? 0
    }),
    { numRuns: cases, interruptAfterTimeLimit: 45_000 },
  )
  expect(differing, 'or the test shows nothing').toBeGreaterThan(cases)
})

/**
 * Lines of SQLite that the census does not report: those of virtual tables, of values that an application may have
 * written, and of free space within a page. `quick_check` reports these.
 */
const notOurs = new RegExp(
  [
    '^(?:fts5: |malformed inverted index|In RTree|Node |Mapping )',
    '^(?:NULL value|NUMERIC value|TEXT value|non-\\w+ value|CHECK constraint)',
    'Multiple uses for byte|Fragmentation of|free space corruption|missing rowid',
  ].join('|'),
)

function bothReports(path: string): {
  readonly sqlite: readonly string[]
  readonly ours: number
  readonly said: readonly string[]
} {
  const said = askInProcess(path)
  // If SQLite gives up a page for its free space, it calls all that the page points to unused, and counts no entries.
  const givenUp = said.lines.some((line) => line.includes('free space corruption'))
  const lines = [
    ...said.lines.filter((line) => !notOurs.test(line) && !(givenUp && /never used|wrong # of entries/.test(line))),
    ...(said.thrown === null ? [] : [said.thrown]),
  ]
  const { accounting, findings, thrown, skipped } = census(path)
  // The check reads the header before anything else (src/check/reader/inspect-files.ts).
  const header = readHeader(readFileSync(path).subarray(0, 100)).kind === 'header' ? 0 : 1
  return {
    sqlite: lines,
    ours: header + accounting.length + findings.length + skipped.length + (thrown === null ? 0 : 1),
    said: [...accounting, ...findings].map(({ text }) => text),
  }
}

test(`random damage to generated databases that SQLite reports, we report too (${cases} of them)`, () => {
  let complained = 0
  fc.assert(
    fc.property(generated, fc.nat(), (shape, seed) => {
      const healthy = fresh()
      const path = fresh()
      buildGenerated(healthy, shape)
      const done = damage(healthy, path, seed)
      const { sqlite, ours, said } = bothReports(path)
      if (sqlite.length > 0) complained++
      if (sqlite.length > 0)
        expect(ours, `${done}: ${sqlite.slice(0, 3).join(' | ')} but ${said.join(' | ')}`).toBeGreaterThan(0)
      removeDatabase(healthy)
      removeDatabase(path)
    }),
    { numRuns: cases * 2, interruptAfterTimeLimit: 45_000 },
  )
  expect(complained, 'or the test shows nothing').toBeGreaterThan(cases / 4)
})

test(`random damage to any kind of database that SQLite reports, we report too (${cases} times)`, () => {
  const healthy = recipes.map((recipe, i) => {
    const path = fresh()
    recipe.build(path, i % 2 === 0 ? 512 : 1024)
    return path
  })
  for (let seed = 1; seed <= cases; seed++) {
    const path = fresh()
    const from = healthy[seed % healthy.length] ?? ''
    copyFileSync(from, path)
    const done = damage(from, path, seed * 7919 + Number(process.env['SEED'] ?? 0))
    const recipe = recipes[seed % healthy.length]
    const { sqlite: all, ours } = bothReports(path)
    // A virtual table that fails over its own content reports no more than this line.
    const sqlite = /fts|r-tree/.test(recipe?.name ?? '')
      ? all.filter((line) => line !== 'database disk image is malformed')
      : all
    if (sqlite.length > 0)
      expect(ours, `${recipe?.name}, seed ${seed}, ${done}: ${sqlite.slice(0, 3).join(' | ')}`).toBeGreaterThan(0)
    removeDatabase(path)
  }
})

test.each([false, true])('every wound that SQLite reports, we report too (auto-vacuum: %s)', (autoVacuum) => {
  for (const wound of wounds) {
    if (wound.only === 'auto-vacuum' && !autoVacuum) continue
    const path = fresh()
    createVariedDatabase(path, 1024, autoVacuum)
    {
      using database = new EditableDatabase(path)
      wound.make(database)
    }
    const { sqlite, ours } = bothReports(path)
    if (sqlite.length > 0) expect(ours, `${wound.name}: ${sqlite[0]}`).toBeGreaterThan(0)
    removeDatabase(path)
  }
})

test('below a page of an index, which has no rowids, no row of a table is reported as out of order', () => {
  const path = fresh()
  createVariedDatabase(path, 1024, false)
  {
    using database = new EditableDatabase(path)
    database.edit(database.root('events'), (bytes) => {
      bytes[0] = 2
    })
  }
  const { accounting, findings } = census(path)
  expect(accounting.length).toBeGreaterThan(0)
  expect(findings.filter(({ rule }) => rule === 'rowid-out-of-order')).toEqual([])
})
