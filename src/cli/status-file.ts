/** The file of `status --output`: it must not be a tenant's database. */
import { stat } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { onDisk } from '../host/files/file-name.ts'
import { realPathOf } from '../host/files/path-kind.ts'
import { replaceFile } from '../host/files/replace-file.ts'
import { Failure } from '../model/failure.ts'
import { renderNoStatus } from '../report/status/monitor-line.ts'
import { describeError, reportError } from './terminal/errors.ts'
import type { Terminal } from './terminal/terminal.ts'

/**
 * An empty file there may be a tenant's database: SQLite makes it empty and writes to it later.
 * @throws {Failure} NOT_A_FILE if the file is in one of the roots
 */
export async function requireOutsideRoots(file: string, roots: readonly string[]): Promise<void> {
  const folder = await realPathOf(dirname(file))
  if (folder === null) return // Nothing can be written there, which `replaceFile` reports.
  for (const root of roots) {
    const realRoot = await realPathOf(root)
    if (realRoot === null || !isInside(folder, realRoot)) continue
    throw new Failure('NOT_A_FILE', `${file} is in a folder of tenants' databases (tenants.roots: ${root})`, {
      hint: 'name a file in another folder',
    })
  }
}

const isInside = (folder: string, root: string): boolean => relative(root, folder).split('/')[0] !== '..'

/**
 * Replaces the status of an earlier run with UNKNOWN, so that the reader of the file does not go on with it.
 * @param error why there is no status; the caller reports it
 */
export function leaveUnknown(file: string, error: unknown, terminal: Terminal): void {
  const { code, message } = describeError(error, terminal.commandLine)
  try {
    replaceFile(file, renderNoStatus(`${code}: ${message}`))
  } catch (second) {
    reportError(terminal, second)
  }
}

/** The same without a configuration: then the roots are not known, and an empty file may be a tenant's database. */
export async function leaveUnknownUnlessEmpty(file: string, error: unknown, terminal: Terminal): Promise<void> {
  const isEmpty = await stat(onDisk(file)).then(
    ({ size }) => size === 0,
    () => false,
  )
  if (!isEmpty) return leaveUnknown(file, error, terminal)
  const why = `${file} is empty: without a configuration it may be a tenant's database, and is left as it is`
  reportError(terminal, new Failure('NOT_A_FILE', why, { hint: 'correct the configuration first' }))
}
