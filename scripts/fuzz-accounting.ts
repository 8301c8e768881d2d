/**
 * Damages databases at random and compares our page accounting with SQLite's word.
 *   node scripts/fuzz-accounting.ts [HOW_MANY] [FIRST_SEED]
 * Exits with 1 when the accounting was silent where SQLite complained of pages; what it alone complains of is printed to be judged.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recipes, removeDatabase } from '../test/support/databases.ts'
import { compareOnce } from '../test/support/fuzz.ts'
import { createPatient } from '../test/support/wounds.ts'

const howMany = Number(process.argv[2] ?? 2000)
const firstSeed = Number(process.argv[3] ?? 1)
const folder = mkdtempSync(join(tmpdir(), 'fuzz-accounting-'))
try {
  const healthy = [...recipes.map((recipe) => ({ name: recipe.name, build: recipe.build })), ...[false, true].map((autoVacuum) => ({ name: `patient ${autoVacuum}`, build: (path: string, size: number) => createPatient(path, size, autoVacuum) }))]
    .flatMap(({ name, build }, i) => [512, 1024].map((size) => {
      const path = join(folder, `healthy-${i}-${size}.db`)
      build(path, size)
      return { name: `${name}, ${size}`, path }
    }))
  const damaged = join(folder, 'damaged.db')
  let silent = 0
  let lonely = 0
  for (let seed = firstSeed; seed < firstSeed + howMany; seed++) {
    const { name, path } = healthy[seed % healthy.length] ?? { name: '', path: '' }
    const disagreement = compareOnce(path, damaged, seed)
    removeDatabase(damaged)
    if (disagreement === null) continue
    if (disagreement.what === 'silent-accounting') silent++
    else lonely++
    process.stdout.write(`${disagreement.what} ${name} seed ${seed} (${disagreement.damage}): ${disagreement.detail}\n`)
  }
  process.stdout.write(`${howMany} damaged files: accounting silent where SQLite complains of pages: ${silent}; accounting alone: ${lonely}\n`)
  if (silent > 0) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
