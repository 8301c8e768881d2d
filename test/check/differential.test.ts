/**
 * The census against its referee: on no file may it report less than SQLite's full check; on a healthy file nothing.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeDatabase } from '../support/databases/create-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { compare, healthyCase, tryHealthy, tryWounded, woundedCase } from '../support/differential/differential.ts'
import { judge, readWithBoth } from '../support/differential/engines.ts'
import { damage } from '../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'differential-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each([
  [1024, false],
  [2048, true],
  [8192, false],
] as const)('page size %i, auto-vacuum %s', (pageSize, autoVacuum) => {
  const healthyPath = join(folder, `varied-${pageSize}.db`)
  beforeAll(() => createVariedDatabase(healthyPath, pageSize, autoVacuum))

  test('both find the healthy file sound', async () => {
    const { census, sqlite } = await readWithBoth(healthyPath)
    expect([census.diagnosis.verdict.kind, sqlite.diagnosis.verdict.kind]).toEqual(['sound', 'sound'])
    expect(census.reading.content.map(({ name, rows }) => [name, rows])).toEqual(
      expect.arrayContaining(sqlite.reading.content.map(({ name, rows }) => [name, rows])),
    )
  })

  test.each(
    wounds.filter((wound) => autoVacuum || wound.only === undefined).map((wound) => [wound.name, wound] as const),
  )('%s', async (_, wound) => {
    const path = join(folder, `wounded-${pageSize}.db`)
    copyFileSync(healthyPath, path)
    let done: string
    {
      using database = new EditableDatabase(path)
      done = wound.make(database)
    }
    const both = await readWithBoth(path)
    const judgement = await judge(path, both)
    removeDatabase(path)
    expect(judgement, done).not.toMatchObject({ kind: 'weaker' })
    // The sums of the census must not hide what the quick check and the page accounting found.
    expect(both.census.diagnosis.verdict.kind, done).toBe('damaged')
  })
})

test.each(recipes.map((recipe, i) => [recipe.name, recipe, i] as const))('random damage: %s', async (_, recipe, i) => {
  const healthy = join(folder, `${i}.db`)
  const damaged = join(folder, `${i}-damaged.db`)
  recipe.build(healthy, i % 2 === 0 ? 512 : 2048)
  const sound = await readWithBoth(healthy)
  expect([sound.census.diagnosis.verdict.kind, sound.sqlite.diagnosis.verdict.kind]).toEqual(['sound', 'sound'])
  for (let seed = 0; seed < 5; seed++) {
    const done = damage(healthy, damaged, 5000 * i + seed)
    await compare(damaged, [`seed ${5000 * i + seed}`, done])
    removeDatabase(damaged)
  }
})

/** Thousands of them: `npm run fuzz -- differential`. */
const cases = Number(process.env['CASES'] ?? 60)

test(`generated databases are sound (${cases} of them)`, async () => {
  await fc.assert(
    fc.asyncProperty(healthyCase, async (one) => void (await tryHealthy(folder, one))),
    { numRuns: cases, interruptAfterTimeLimit: 30_000 },
  )
})

test(`of no wound does the census report less than the referee (${cases * 3} generated databases)`, async () => {
  const outcomes: string[] = []
  await fc.assert(
    fc.asyncProperty(woundedCase, async (one) => void outcomes.push(await tryWounded(folder, one))),
    { numRuns: cases * 3, interruptAfterTimeLimit: 30_000 },
  )
  expect(
    outcomes.filter((outcome) => outcome.startsWith('both damaged')).length,
    'or the test shows nothing',
  ).toBeGreaterThan(cases)
})
