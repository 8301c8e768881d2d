/**
 * `reconcile`: the databases below some folders that no tenant claims, and the companions of databases that are not
 * there. A claimed file is never opened: opening it would break the kernel lease of a hold. Of any other file the first
 * bytes are read.
 */
import { fstatSync, type Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { nameOf, onDisk } from '../../host/files/file-name.ts'
import { isMountPoint } from '../../host/files/file-system.ts'
import { isFolder } from '../../host/files/path-kind.ts'
import { isChangeName } from '../../model/companion-names.ts'
import { Failure } from '../../model/failure.ts'
import { hasLiveSetMagic, liveSetMagicBytes } from '../../sqlite/live-set-magic.ts'
import { isDatabase, namesDatabase } from './find-databases.ts'
import { readAt } from './live-files.ts'
import { failureOfPath } from './path-failure.ts'

interface UnclaimedFile {
  readonly path: string
  /** When it was made, in ms since 1970; when it was last changed if the file system does not say that. */
  readonly madeAt: number
}

export interface UnclaimedFiles {
  readonly databases: readonly UnclaimedFile[]
  /** A WAL, a wal-index or a journal without its database. */
  readonly companions: readonly UnclaimedFile[]
  readonly folders: number
  readonly mounts: readonly string[]
  /** Links that lead outside. They are not followed. */
  readonly links: readonly string[]
  /** What was not searched, and why. */
  readonly unsearched: readonly { readonly path: string; readonly why: string }[]
}

export interface UnclaimedSearch {
  /** Real paths of folders. */
  readonly roots: readonly string[]
  /** True for the real path of a file that a tenant claims. */
  readonly isClaimed: (path: string) => boolean
  /** Folders of holdfast itself, which are not searched. */
  readonly own: ReadonlySet<string>
  readonly foldersMax: number
  readonly signal: AbortSignal
}

/** Links to folders are not followed, so there are no loops. Other mounts below the folders are searched as well. */
export async function findUnclaimed(search: UnclaimedSearch): Promise<UnclaimedFiles> {
  const { roots, own, foldersMax, signal } = search
  const found: SearchState = {
    databases: [],
    companions: [],
    mounts: [],
    links: [],
    unsearched: [],
    waiting: [...roots],
  }
  let folders = 0
  for (let path = found.waiting.pop(); path !== undefined; path = found.waiting.pop()) {
    signal.throwIfAborted()
    if (own.has(path)) continue
    if (folders++ >= foldersMax) {
      found.unsearched.push({ path, why: `there are more than ${foldersMax} folders` })
      break
    }
    if (!roots.includes(path) && isMountPoint(path)) found.mounts.push(path)
    await searchFolder(path, search, found)
  }
  const { waiting: _, ...rest } = found
  return { ...rest, folders }
}

interface SearchState {
  readonly databases: UnclaimedFile[]
  readonly companions: UnclaimedFile[]
  readonly mounts: string[]
  readonly links: string[]
  readonly unsearched: { readonly path: string; readonly why: string }[]
  readonly waiting: string[]
}

async function searchFolder(folder: string, search: UnclaimedSearch, found: SearchState): Promise<void> {
  const entries = await readdir(onDisk(folder), { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
    const failure = failureOfPath(folder, error)
    if (!(failure instanceof Failure)) throw failure
    // A folder that was deleted meanwhile holds nothing.
    if (failure.code !== 'NOT_FOUND') found.unsearched.push({ path: folder, why: failure.message })
    return []
  })
  const byName = new Map(entries.map((entry) => [nameOf(entry.name), entry]))
  for (const [name, entry] of byName) {
    const path = join(folder, name)
    if (entry.isDirectory()) found.waiting.push(path)
    else if (entry.isSymbolicLink()) await searchLink(path, search, found)
    else if (entry.isFile() && !isChangeName(name) && !search.isClaimed(path))
      await judgeFile(path, name, byName, found)
  }
}

/** A link to a file inside leads to a name that is found by itself. */
async function searchLink(path: string, { roots }: UnclaimedSearch, { links }: SearchState): Promise<void> {
  const real = await realpath(onDisk(path), 'buffer').then(nameOf, () => null)
  if (real === null || roots.some((root) => real === root || real.startsWith(`${root}/`))) return
  if ((await isFolder(real)) || namesDatabase(path)) links.push(path)
}

const companionName = /-(?:wal|shm|journal)$/

async function judgeFile(
  path: string,
  name: string,
  beside: ReadonlyMap<string, Dirent<Buffer>>,
  found: SearchState,
): Promise<void> {
  const entry = beside.get(name)
  if (entry === undefined) return
  const part = companionName.exec(name)
  if (part !== null) {
    const main = name.slice(0, part.index)
    // Beside a WAL, its wal-index says nothing more.
    if (beside.has(main) || (name.endsWith('-shm') && beside.has(`${main}-wal`))) return
    if (namesDatabase(main) || (await beginsAsCompanion(path))) await add(path, found.companions)
    return
  }
  if (await isDatabase(path, entry, beside)) await add(path, found.databases)
}

async function add(path: string, to: UnclaimedFile[]): Promise<void> {
  const found = await stat(onDisk(path)).catch(() => null) // It was deleted meanwhile.
  if (found !== null) to.push({ path, madeAt: Math.floor(found.birthtimeMs > 0 ? found.birthtimeMs : found.ctimeMs) })
}

/** False for a file that cannot be read, or is gone by now. */
async function beginsAsCompanion(path: string): Promise<boolean> {
  try {
    using file = openDescriptor(path, 'read-only')
    return fstatSync(file.number).isFile() && hasLiveSetMagic(await readAt(file.number, 0, liveSetMagicBytes))
  } catch {
    return false
  }
}
