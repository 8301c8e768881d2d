/** A new database under a name that a person gave. SQLite takes files of certain other names for parts of it. */
import { lstatSync } from 'node:fs'
import { basename } from 'node:path'
import { onDisk } from '../../host/files/file-name.ts'
import { Failure } from '../../model/failure.ts'
import { liveSetParts } from '../../model/result/evidence.ts'

const companions = liveSetParts.filter((part) => part !== '')

/**
 * Asked before any work, and again right before the file gets its name.
 * @throws {Failure} USAGE if the name is taken, or is that of a WAL or journal, which SQLite plays back or deletes.
 * Also if such a part lies beside it, which SQLite would play into the new file.
 */
export function requireNewDatabase(path: string): void {
  if (isTaken(path)) throw targetFailure(`${path} exists already, and is not overwritten`)
  const part = companions.find((one) => path.toLowerCase().endsWith(one))
  if (part !== undefined)
    throw targetFailure(
      `${path} has the name of a part (${part}) of ${path.slice(0, -part.length)}: ` +
        'SQLite would delete it, or play it into that database',
    )
  requireNoCompanions(path)
}

/** @throws {Failure} USAGE if a part of another database lies where SQLite looks for one of this */
export function requireNoCompanions(path: string): void {
  const found = companions.find((part) => isTaken(path + part))
  if (found === undefined) return
  throw targetFailure(
    `${basename(path)}${found} lies beside the new file already: SQLite would take it for a part of ${path}, ` +
      'and could destroy the new file with it',
  )
}

const isTaken = (path: string): boolean => {
  try {
    return lstatSync(onDisk(path), { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // A part with too long a name cannot be there: SQLite cannot make it either.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return false
    throw error
  }
}

const targetFailure = (message: string): Failure => new Failure('USAGE', message, { hint: 'name another new file' })
