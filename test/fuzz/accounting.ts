/**
 * Damages databases at random, and compares our page accounting with SQLite's check. Complaints of the accounting alone
 * are printed, for a person to judge.
 */
import { join } from 'node:path'
import { removeDatabase } from '../support/databases/create-database.ts'
import { recipes } from '../support/databases/recipes.ts'
import { createVariedDatabase } from '../support/databases/wounds.ts'
import { compareOnce } from '../support/differential/referee.ts'

/** @returns false if the accounting was silent about a file in which SQLite found a wrong page */
export function fuzzAccounting(
  folder: string,
  inputs: number,
  firstSeed: number,
  say: (line: string) => void,
): boolean {
  const varied = [false, true].map((autoVacuum) => ({
    name: `varied ${autoVacuum}`,
    build: (path: string, size: number) => createVariedDatabase(path, size, autoVacuum),
  }))
  const healthy = [...recipes, ...varied].flatMap(({ name, build }, i) =>
    [512, 1024].map((size) => {
      const path = join(folder, `healthy-${i}-${size}.db`)
      build(path, size)
      return { name: `${name}, ${size}`, path }
    }),
  )
  const damaged = join(folder, 'damaged.db')
  let silent = 0
  let alone = 0
  for (let seed = firstSeed; seed < firstSeed + inputs; seed++) {
    const { name, path } = healthy[seed % healthy.length] ?? { name: '', path: '' }
    const disagreement = compareOnce(path, damaged, seed)
    removeDatabase(damaged)
    if (disagreement === null) continue
    if (disagreement.what === 'silent-accounting') silent++
    else alone++
    say(`${disagreement.what} ${name} seed ${seed} (${disagreement.damage}): ${disagreement.detail}`)
  }
  say(`${inputs} damaged files: in ${silent} only SQLite found a wrong page, in ${alone} only the accounting`)
  return silent === 0
}
