/**
 * `check DIR`: the databases in a folder. These are the files with a database's ending, whatever their bytes; the files
 * that begin as a database, or have pages of one behind a destroyed header; and all that `pull` has put there. A file
 * that cannot be read counts as a database, so that its own failure is reported and no file is passed over.
 */
import { fstatSync, lstatSync, readSync, type Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { isFolder, realPathOf } from '../../host/files/path-kind.ts'
import { isChangeName } from '../../model/companion-names.ts'
import { Failure } from '../../model/failure.ts'
import { journalHoldsFirstPage, walHoldsFirstPage } from '../../sqlite/first-page.ts'
import { looksLikePages, readHeader } from '../../sqlite/header.ts'
import { findPulledBelow, namedInManifest } from '../copies/manifest.ts'
import { firstBytes } from '../file-kind.ts'
import { readAt } from './live-files.ts'
import { failureOfPath } from './path-failure.ts'

const databaseEndings = new Set(['.db', '.db3', '.sqlite', '.sqlite3', '.s3db', '.sl3'])
const livePart = /-(wal|shm|journal)$/

/** True if the name has the ending of a database. */
export const namesDatabase = (name: string): boolean => databaseEndings.has(extname(name).toLowerCase())

/**
 * @param named a file, or a folder; of the folders below it, only those that `pull` makes are searched
 * @returns the file itself, or the databases in the folder, by name
 * @throws {Failure} NO_PERMISSION if the folder cannot be read
 */
export async function findDatabases(named: string): Promise<readonly string[]> {
  if (!(await isFolder(named))) return [named]
  const { databases } = await readFolder(named)
  return [...databases, ...(await findPulledBelow(named))]
}

/** What lies in a folder and in all folders below it. */
export interface DatabasesBelow {
  /** By folder, then by name. */
  readonly databases: readonly string[]
  /** Folders that cannot be read. */
  readonly unreadable: readonly { readonly path: string; readonly failure: Failure }[]
  /** Links to folders outside. They are not followed. */
  readonly links: readonly string[]
  /** False if there are more folders than may be searched, or more databases than were asked for. */
  readonly whole: boolean
}

/**
 * Other mounts below the folder are searched as well. Links to folders are not followed, so there are no loops.
 * @param foldersMax how many folders are searched at most
 * @param databasesMax the search ends when so many were found
 */
export async function findDatabasesBelow(
  folder: string,
  foldersMax: number,
  databasesMax = Infinity,
): Promise<DatabasesBelow> {
  const databases: string[] = []
  const unreadable: { readonly path: string; readonly failure: Failure }[] = []
  const links: string[] = []
  const top = await realPathOf(folder)
  const waiting = [folder]
  for (let searched = 0; searched < foldersMax && databases.length < databasesMax; searched++) {
    const path = waiting.pop()
    if (path === undefined) break
    try {
      const found = await readFolder(path)
      databases.push(...found.databases)
      waiting.push(...found.folders.toReversed())
      for (const link of found.links) if (!isBelow(await realPathOf(link), top)) links.push(link)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const isGone = error.code === 'NOT_FOUND' && path !== folder
      if (!isGone) unreadable.push({ path, failure: error })
    }
  }
  return { databases, unreadable, links, whole: waiting.length === 0 }
}

const isBelow = (path: string | null, top: string | null): boolean =>
  path !== null && top !== null && (path === top || path.startsWith(`${top}/`))

/** The entries of a folder, by name. */
type Names = ReadonlyMap<string, Dirent<Buffer>>

interface FolderContents {
  readonly databases: readonly string[]
  readonly folders: readonly string[]
  /** Links that lead to folders. */
  readonly links: readonly string[]
}

/** @throws {Failure} NO_PERMISSION, NOT_FOUND, READ_FAILED if the folder cannot be read */
async function readFolder(folder: string): Promise<FolderContents> {
  const entries = await readdir(onDisk(folder), { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
    throw failureOfPath(folder, error)
  })
  const byName: Names = new Map(entries.map((entry) => [nameOf(entry.name), entry]))
  const pulled = await namedInManifest(folder)
  const databases: string[] = []
  const folders: string[] = []
  const links: string[] = []
  for (const [name, entry] of [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const path = join(folder, name)
    if (entry.isDirectory()) folders.push(path)
    else if (entry.isSymbolicLink() && (await isFolder(path))) links.push(path)
    else if (isChangeName(name)) continue
    else if (pulled.has(name) || (await isDatabase(path, entry, byName))) databases.push(path)
  }
  return { databases, folders, links }
}

/** True if the file has the ending of a database, or its bytes are those of one. Only in doubt it is opened. */
export async function isDatabase(path: string, entry: Dirent<Buffer>, beside: Names): Promise<boolean> {
  const part = livePart.exec(path)
  if (part === null && namesDatabase(path)) return true
  if (!entry.isFile() && !entry.isSymbolicLink()) return false
  if (!(await hasBytesOfDatabase(path))) return false
  // A WAL or a journal belongs to the database beside it, whatever its first bytes are.
  const main = part === null ? path : path.slice(0, part.index)
  const mainEntry = part === null ? undefined : beside.get(nameIn(main))
  return mainEntry === undefined || !(await isDatabase(main, mainEntry, beside))
}

const nameIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Also true for a file that cannot be opened. False for what is no file, leads nowhere, or is gone by now. */
async function hasBytesOfDatabase(path: string): Promise<boolean> {
  try {
    const real = nameOf(await realpath(onDisk(path), 'buffer'))
    const found = await stat(onDisk(real))
    if (!found.isFile()) return false
    using file = openDescriptor(real, 'read-only')
    const { kind } = readHeader(await readAt(file.number, 0, 100))
    if (kind !== 'not-sqlite') return kind !== 'empty'
    if (firstPageLiesBeside(real)) return true
    // A header may be destroyed. Few files of other kinds have a size that could be that of a database.
    return found.size % 512 === 0 && looksLikePages(await readAt(file.number, 0, firstBytes))
  } catch (error) {
    return !['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}

/** SQLite takes the first page from a WAL or a journal, whatever the file itself begins with. */
function firstPageLiesBeside(path: string): boolean {
  return ['-wal', '-journal'].some((part) => {
    if (!lstatSync(onDisk(path + part), { throwIfNoEntry: false })?.isFile()) return false
    using file = openDescriptor(path + part, 'read-only')
    const bytes = fstatSync(file.number).size
    const read = (offset: number, length: number): Uint8Array => {
      const buffer = new Uint8Array(length)
      return buffer.subarray(0, readSync(file.number, buffer, 0, length, offset))
    }
    return part === '-wal' ? walHoldsFirstPage(read) : journalHoldsFirstPage(read, bytes)
  })
}
