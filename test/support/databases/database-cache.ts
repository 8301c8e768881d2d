/**
 * Databases that many tests begin with are built once in a run of the tests, and copied from then on: to build them
 * each time was a tenth of its work.
 */

import { constants, copyFileSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes at `path`, where nothing may be, what `build` makes there: one file, whole when it returns. `name` says what
 * that is, to the last parameter.
 */
export function copyCached(name: string, path: string, build: (path: string) => void): void {
  const folder = process.env['HOLDFAST_MOULDS'] // Not set where nobody would remove it.
  if (folder === undefined) return build(path)
  const mould = join(folder, encodeURIComponent(name))
  if (existsSync(mould)) return copyFileSync(mould, path, constants.COPYFILE_EXCL)
  build(path)
  // Whole or not at all: another process may look for it now.
  copyFileSync(path, `${mould}.${process.pid}`)
  renameSync(`${mould}.${process.pid}`, mould)
}
