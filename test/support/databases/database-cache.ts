/**
 * Builds a database that many tests begin with once in a run of the tests. Later callers get a copy of it. Building it
 * each time took a tenth of the run.
 */

import { constants, copyFileSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes at `path`, where nothing may be yet, what `build` makes there: one file, complete when `build` returns.
 * @param name says what that is, with all its parameters
 */
export function copyCached(name: string, path: string, build: (path: string) => void): void {
  const folder = process.env['HOLDFAST_DATABASE_CACHE'] // Only set in a run of the tests, which removes the folder.
  if (folder === undefined) return build(path)
  const cached = join(folder, encodeURIComponent(name))
  if (existsSync(cached)) return copyFileSync(cached, path, constants.COPYFILE_EXCL)
  build(path)
  // The file appears in one step: another process may look for it now.
  copyFileSync(path, `${cached}.${process.pid}`)
  renameSync(`${cached}.${process.pid}`, cached)
}
