/** A sample of the pages: silent on every healthy file, and each wound is found when its range comes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import { recipes } from '../support/databases/recipes.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase } from '../support/databases/wounds.ts'
import { context } from '../support/diagnosis.ts'
import { readInProcess } from '../support/read-in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'check-sample-'))
afterAll(() => rmSync(folder, { recursive: true }))

const sampleOf = (path: string, from: number, share: number): Promise<Reading> =>
  readInProcess(path, 'sample', 'census', false, null, false, 1e9, { from, share })

/** One sample after the other, until all pages had their turn. */
async function allSamples(path: string, share: number): Promise<readonly Reading[]> {
  const readings: Reading[] = []
  for (let from = 1; ;) {
    const reading = await sampleOf(path, from, share)
    readings.push(reading)
    const { sampled, coverage } = reading
    if (sampled === null || sampled.last >= coverage.pages) return readings
    from = sampled.last + 1
  }
}

describe('healthy files', () => {
  test.each([512, 4096].flatMap((size) => recipes.map((recipe) => [size, recipe.name, recipe] as const)))(
    'page size %i, %s: nothing is found in any sample, and none is sound',
    async (size, _, recipe) => {
      const path = join(folder, 'healthy.db')
      recipe.build(path, size)
      for (const reading of await allSamples(path, 0.34)) {
        expect(reading).toMatchObject({ facts: [], depth: 'sample', coverage: { skipped: [] } })
        expect(reading.sampled).not.toBeNull()
        const { verdict, remedy } = diagnose(reading, context)
        expect([verdict.kind, remedy.do]).toEqual(['inconclusive', 'nothing'])
        const reason = verdict.kind === 'inconclusive' ? verdict.reason : ''
        expect(reason.replaceAll(/\d[\d,.]*(?= )/g, 'N')).toBe(
          'not everything was read: only a sample was read, pages N to N of N (N %), and nothing is wrong there',
        )
      }
      rmSync(path)
    },
  )
})

describe('a damaged page', () => {
  const damaged = async (choose: (database: EditableDatabase) => number): Promise<[number, readonly Reading[]]> => {
    const path = join(folder, 'damaged.db')
    rmSync(path, { force: true })
    createVariedDatabase(path, 1024, false)
    using database = new EditableDatabase(path)
    const page = choose(database)
    const bytes = database.read(page)
    bytes[0] = 0x77
    database.write(page, bytes)
    return [page, await allSamples(path, 0.1)]
  }

  test('is found in the sample of its range, and only there', async () => {
    const [page, readings] = await damaged((database) => database.leaf('events'))
    const found = readings.filter(({ facts }) => facts.length > 0)
    expect(readings.length).toBe(10)
    expect(found).toHaveLength(1)
    const [reading] = found
    expect(reading?.sampled?.first).toBeLessThanOrEqual(page)
    expect(reading?.sampled?.last).toBeGreaterThanOrEqual(page)
    if (reading === undefined) return
    const { verdict, damage, remedy, findings } = diagnose(reading, context)
    expect([verdict.kind, damage, remedy.do, findings[0]?.page]).toEqual(['damaged', 'table', 'ask', page])
    expect(remedy.command).toBe('holdfast check --tenant acme')
  })

  test('an interior page is found in every sample', async () => {
    const [page, readings] = await damaged((database) => database.root('events'))
    for (const { facts } of readings)
      expect(facts.map((fact) => (fact.kind === 'found' ? fact.finding.page : 0))).toContain(page)
  })
})

test('a range behind the end of the file begins at page 1, and the share is of all pages', async () => {
  const path = join(folder, 'ranges.db')
  createVariedDatabase(path, 1024, false)
  const { sampled, coverage } = await sampleOf(path, 1_000_000, 0.5)
  expect(sampled).toEqual({ first: 1, last: Math.ceil(coverage.pages / 2) })
  expect(coverage.pagesRead).toBeLessThan(coverage.pages * 0.6)
  expect((await sampleOf(path, 5, 1e-9)).sampled).toEqual({ first: 5, last: 5 })
})
