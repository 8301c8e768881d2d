/** Checks generated databases with the census and with SQLite's full check, and counts the outcomes. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { pageSizes, removeDatabase } from '../support/databases/create-database.ts'
import { generated } from '../support/databases/generated-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { compare, healthyCase, tryHealthy, tryWounded, woundedCase } from '../support/differential/differential.ts'
import { tryExactRows } from '../support/differential/exact-rows.ts'
import { damage } from '../support/differential/referee.ts'

type Say = (line: string) => void

/** @returns false if any outcome was wrong */
export async function fuzzDifferential(folder: string, inputs: number, seed: number, say: Say): Promise<boolean> {
  const parts: readonly (() => Promise<boolean>)[] = [
    () =>
      checkProperty(
        'healthy databases',
        fc.asyncProperty(
          healthyCase,
          counting((one) => tryHealthy(folder, one)),
        ),
        inputs,
        seed,
        say,
      ),
    () =>
      checkProperty(
        'wounded databases',
        fc.asyncProperty(
          woundedCase,
          counting((one) => tryWounded(folder, one)),
        ),
        inputs,
        seed,
        say,
      ),
    () =>
      checkProperty(
        'indexes that differ from their tables',
        fc.asyncProperty(
          fc.tuple(generated, fc.nat({ max: 31 })),
          counting(async ([shape, how]) =>
            ((await tryExactRows(folder, shape, how)) ?? 0) === 0 ? 'no row differs' : 'the exact rows',
          ),
        ),
        inputs,
        seed,
        say,
      ),
    () => everyWound(folder, say),
    () => damagedRecipes(folder, inputs, seed, say),
  ]
  let good = true
  for (const part of parts) good = (await part()) && good
  return good
}

let outcomes = new Map<string, number>()
const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
const counting =
  <Case>(trial: (one: Case) => Promise<string>) =>
  async (one: Case): Promise<void> =>
    count(await trial(one))

/** Reduces a failing case to the smallest one. */
async function checkProperty<Case>(
  name: string,
  property: fc.IAsyncProperty<[Case]>,
  inputs: number,
  seed: number,
  say: Say,
): Promise<boolean> {
  outcomes = new Map()
  const details = await fc.check(property, { numRuns: inputs, seed })
  reportOutcomes(name, say)
  if (!details.failed) return true
  say(fc.defaultReportMessage(details) ?? 'it failed')
  if (details.errorInstance instanceof Error) say(details.errorInstance.stack ?? '')
  return false
}

function reportOutcomes(name: string, say: Say): void {
  say(`${[...outcomes.values()].reduce((sum, number) => sum + number, 0)} ${name}`)
  for (const [outcome, number] of [...outcomes].toSorted(([, a], [, b]) => b - a)) say(`  ${number} ${outcome}`)
}

/** Every wound of the surgeon, on every page size at which the schema of the varied database fits on one page. */
async function everyWound(folder: string, say: Say): Promise<boolean> {
  outcomes = new Map()
  const failed: string[] = []
  for (const [pageSize, autoVacuum] of [1024, 2048, 4096, 8192].flatMap(
    (size) =>
      [
        [size, false],
        [size, true],
      ] as const,
  )) {
    const healthy = join(folder, 'varied.db')
    createVariedDatabase(healthy, pageSize, autoVacuum)
    for (const wound of wounds.filter(({ only }) => autoVacuum || only === undefined)) {
      const path = join(folder, 'wounded.db')
      copyFileSync(healthy, path)
      await trial(`${wound.name}, page size ${pageSize}, auto-vacuum ${autoVacuum}`, path, failed, () => {
        using open = new EditableDatabase(path)
        return wound.make(open)
      })
    }
    removeDatabase(healthy)
  }
  reportOutcomes('wounds of the surgeon', say)
  for (const line of failed) say(line)
  return failed.length === 0
}

/** Random bytes changed in databases of every recipe. */
async function damagedRecipes(folder: string, inputs: number, firstSeed: number, say: Say): Promise<boolean> {
  outcomes = new Map()
  const failed: string[] = []
  const builds = recipes.flatMap((recipe) => pageSizes.slice(0, 4).map((size) => ({ recipe, size })))
  const each = Math.ceil(inputs / builds.length)
  for (const [i, { recipe, size }] of builds.entries()) {
    const healthy = join(folder, 'recipe.db')
    recipe.build(healthy, size)
    for (let seed = firstSeed + i * each; seed < firstSeed + (i + 1) * each; seed++) {
      const path = join(folder, 'damaged.db')
      await trial(`${recipe.name}, page size ${size}, seed ${seed}`, path, failed, () => damage(healthy, path, seed))
    }
    removeDatabase(healthy)
  }
  reportOutcomes('recipes with bytes changed', say)
  for (const line of failed) say(line)
  return failed.length === 0
}

async function trial(name: string, path: string, failed: string[], wound: () => string): Promise<void> {
  try {
    const done = wound()
    count(await compare(path, [done]))
  } catch (error) {
    failed.push(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    removeDatabase(path)
  }
}
