/**
 * Comparisons with damaged files: no table is called equal that SQLite reads differently, and nothing is thrown.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { compareInProcess } from '../../support/compare-in-process.ts'
import { removeDatabase } from '../../support/databases/create-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../../support/databases/wounds.ts'
import { damage } from '../../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'compare-damaged-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** All rows of a table as SQLite reads them, sorted; null if it cannot. */
function rowsOf(path: string, name: string): readonly string[] | null {
  let db: Database.Database | null = null
  try {
    db = new Database(path, { readonly: true })
    // SQLite would read a table WITHOUT ROWID from a covering index, which may be the damaged one.
    const key = db
      .prepare<[string, string], string>(
        "SELECT l.name FROM pragma_index_list(?) l, pragma_table_list(?) t WHERE l.origin = 'pk' AND t.wr = 1",
      )
      .pluck()
      .get(name, name)
    const rows = db
      .prepare(
        `SELECT * FROM "${name.replaceAll('"', '""')}" ${key === undefined ? 'NOT INDEXED' : `INDEXED BY "${key}"`}`,
      )
      .safeIntegers()
      .raw()
      .all()
    return rows
      .map((row) =>
        JSON.stringify(
          (row as unknown[]).map((value) =>
            typeof value === 'bigint' ? `${value}n` : Buffer.isBuffer(value) ? value.toString('hex') : value,
          ),
        ),
      )
      .sort()
  } catch {
    return null
  } finally {
    db?.close()
  }
}

type Rows = ReturnType<typeof rowsOf>

/** @param whole the rows of `healthy` that earlier comparisons have read, by table */
async function compareWithDamaged(
  healthy: string,
  damaged: string,
  how: string,
  whole: Map<string, Rows>,
): Promise<Awaited<ReturnType<typeof compareInProcess>>> {
  const comparison = await compareInProcess(healthy, damaged)
  for (const { name, comparison: word, differing, why } of comparison.tables) {
    const [before, left] = [whole.get(name) ?? rowsOf(healthy, name), rowsOf(damaged, name)]
    whole.set(name, before)
    if (word === 'equal' && left !== null) expect(left, `${name}, ${how}`).toEqual(before)
    // A difference that SQLite does not see has a doubt beside it, and so has one without its rows.
    if (word === 'differs' && (differing === null || JSON.stringify(left) === JSON.stringify(before)))
      expect(why, `${name}, ${how}`).not.toBe(null)
  }
  return comparison
}

test.each(recipes.map((recipe, i) => [recipe.name, recipe, i] as const))('random damage: %s', async (_, recipe, i) => {
  const healthy = join(folder, `${i}.db`)
  const damaged = join(folder, `${i}-damaged.db`)
  recipe.build(healthy, i % 2 === 0 ? 512 : 2048)
  const whole = new Map<string, Rows>()
  for (let seed = 0; seed < 6; seed++) {
    const how = `seed ${7000 * (i + 1) + seed}: ${damage(healthy, damaged, 7000 * (i + 1) + seed)}`
    await compareWithDamaged(healthy, damaged, how, whole)
    removeDatabase(damaged)
  }
})

const healthyRows = new Map<string, Rows>()
test.each(wounds.filter(({ only }) => only === undefined).map((wound) => [wound.name, wound] as const))(
  '%s',
  async (name, wound) => {
    const [healthy, damaged] = [join(folder, 'healthy.db'), join(folder, 'wounded.db')]
    if (!existsSync(healthy)) createVariedDatabase(healthy, 1024, false)
    copyFileSync(healthy, damaged)
    {
      using database = new EditableDatabase(damaged)
      wound.make(database)
    }
    const { tables } = await compareWithDamaged(healthy, damaged, name, healthyRows)
    // An index is no content: its table is compared, whatever is wrong with the index.
    if (/index entr/.test(name))
      expect(tables.map((table) => table.comparison)).toEqual(['equal', 'equal', 'equal', 'equal'])
  },
)
