import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { removeDatabase } from '../support/databases/create-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { compareOnce } from '../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each(recipes.map((recipe, i) => [recipe.name, recipe, i] as const))(
  'random damage never ends in an exception, nor without a finding if SQLite reports pages: %s',
  (_, recipe, i) => {
    const healthy = join(folder, `${i}.db`)
    const damaged = join(folder, `${i}-damaged.db`)
    recipe.build(healthy, 512)
    const disagreements = []
    for (let seed = 0; seed < 20; seed++) {
      const disagreement = compareOnce(healthy, damaged, 1000 * i + seed)
      removeDatabase(damaged)
      if (disagreement !== null) disagreements.push(disagreement)
    }
    expect(disagreements.filter(({ what }) => what === 'silent-accounting')).toEqual([])
  },
)
