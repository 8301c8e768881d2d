/**
 * Folders that take seconds to make, made once in a run of the tests and copied. Without the folder of the run
 * (scripts/vitest/before-tests.ts) each is made anew.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ownFleetDatabase } from '../../../src/fleet/database/open-database.ts'

/**
 * Copies the template to `target`, which does not exist, with owners and modes.
 * @param make makes it in a folder that does not exist
 */
export async function copyTemplate(
  name: string,
  target: string,
  make: (folder: string) => Promise<void>,
): Promise<void> {
  const cache = process.env['HOLDFAST_DATABASE_CACHE']
  if (cache === undefined) return make(target)
  const template = join(cache, name)
  if (!existsSync(template)) {
    const own = mkdtempSync(join(cache, `${name}-`))
    await make(join(own, name))
    // Another process may have been faster: a folder with something in it is not replaced.
    if (!existsSync(template)) renameSync(join(own, name), template)
    rmSync(own, { recursive: true, force: true })
  }
  execFileSync('cp', ['-a', template, target])
}

/** A folder of PGlite without tables, as one that was opened and left before. */
export const makePgliteFolder = (dir: string): Promise<void> =>
  copyTemplate('pglite', dir, async (folder) => {
    const database = { kind: 'pglite', dir: folder } as const
    await using _made = await ownFleetDatabase({ database, passwordFile: null, caFile: null })
  })
