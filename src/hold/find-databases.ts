/** `check DIR`: the databases in a folder: those with a database's ending, whatever their bytes, those that begin as one, and all that `pull` brought of a tenant. */
import { lstat, readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { openDescriptor } from '../host/descriptor.ts'
import { readHeader } from '../sqlite/header.ts'
import { readAt } from './live-files.ts'
import { failureOfPath } from './live-path.ts'
import { findPulledBelow } from './manifest.ts'

const databaseEndings = new Set(['.db', '.db3', '.sqlite', '.sqlite3', '.s3db', '.sl3'])
const livePart = /-(wal|shm|journal)$/

/**
 * @param named a file, or a folder (not searched below, but for the files that `pull` puts there)
 * @returns the file itself, or the databases in the folder, by name
 * @throws {Failure} NO_PERMISSION when the folder cannot be read
 */
export async function findDatabases(named: string): Promise<readonly string[]> {
  const found = await stat(named).catch(() => null)
  if (!found?.isDirectory()) return [named]
  const names = await readdir(named).catch((error: unknown) => {
    throw failureOfPath(named, error)
  })
  const databases: string[] = []
  for (const name of names.sort()) {
    const path = join(named, name)
    if (!livePart.test(name) && (await isDatabase(path))) databases.push(path)
  }
  return [...databases, ...(await findPulledBelow(named))]
}

/** A file with a database's ending is kept even when it cannot be read: that will be said of it, not passed over. */
async function isDatabase(path: string): Promise<boolean> {
  const named = databaseEndings.has(extname(path).toLowerCase())
  const found = await lstat(path).catch(() => null)
  if (!found) return false
  if (found.isSymbolicLink()) return named
  if (!found.isFile()) return false
  if (named) return true
  try {
    using file = openDescriptor(path, 'read-only')
    const { kind } = readHeader(await readAt(file.number, 0, 100))
    return kind === 'header' || kind === 'wrong'
  } catch {
    return false
  }
}
