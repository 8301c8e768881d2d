/** Reads what lies in the folder of a file: each backup with its state, and what dead or running writers left. */
import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isNotFound } from '../host/failures/system-failure.ts'
import { onDisk } from '../host/files/file-name.ts'
import { findConflict, tryLock } from '../host/locks/byte-lock.ts'
import type { FailureCode } from '../model/failure.ts'
import type { Backup } from '../model/result/backup.ts'
import { partOf, partPath, timeInId, type EntryPart } from './layout.ts'
import { readManifest, type BackupManifest } from './manifest.ts'

export interface Entry {
  /** The absolute path of the folder that it lies in. */
  readonly folder: string
  readonly backup: Backup
  /** null if it cannot be read or believed. */
  readonly manifest: BackupManifest | null
}

/** The range of the stored file that its writer locks until the manifest is in its place. */
export const writerLock = { start: 0, length: 1 } as const

/** In the order of their ids. Backups that are being written or deleted now are left out. Empty without the folder. */
export async function readEntries(folder: string): Promise<readonly Entry[]> {
  if ((await statsOf(folder))?.isDirectory() !== true) return []
  const why = await whyUntrusted(folder, (found) => found.isDirectory())
  const entries: Entry[] = []
  for (const [id, parts] of await partsIn(folder)) {
    const entry = await readEntry(folder, id, parts, why)
    if (entry !== null) entries.push(entry)
  }
  return entries
}

async function partsIn(folder: string): Promise<ReadonlyMap<string, ReadonlySet<EntryPart>>> {
  const byId = new Map<string, Set<EntryPart>>()
  for (const name of (await readdir(onDisk(folder))).toSorted()) {
    const found = partOf(name)
    if (found === null) continue
    const parts = byId.get(found.id) ?? new Set()
    byId.set(found.id, parts.add(found.part))
  }
  return new Map([...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * @param unsafe why nothing in the folder can be believed; null if it can
 * @returns null if it is not there, or not to be seen yet
 */
async function readEntry(
  folder: string,
  id: string,
  parts: ReadonlySet<EntryPart>,
  unsafe: string | null,
): Promise<Entry | null> {
  if (parts.has('removed')) return null
  if (!parts.has('stored') && !parts.has('manifest')) {
    const partial = partPath(folder, id, 'partial')
    if (!parts.has('partial') || (await isBeingWritten(partial))) return null
    const isOurs = (await statsOf(partial))?.isFile() !== false
    const why = isOurs ? 'it is half written: the run that wrote it was ended' : `${partial} is not what holdfast made`
    return withoutManifest(folder, id, 'partial', why)
  }
  const read = await readManifest(folder, id)
  if (read.kind === 'missing') {
    // It may be renamed, or deleted, at this moment.
    const stored = await statsOf(partPath(folder, id, 'stored'))
    if (stored === null || (await isBeingWritten(partPath(folder, id, 'stored')))) return null
    return withoutManifest(folder, id, 'stored', 'it has no manifest, so nothing shows what it is')
  }
  if (read.kind === 'wrong') return withoutManifest(folder, id, 'stored', read.why)
  const { manifest } = read
  const why =
    unsafe ??
    (await whyUntrusted(partPath(folder, id, 'manifest'), (found) => found.isFile())) ??
    (await whyNotStored(folder, manifest))
  if (why === null) return { folder, manifest, backup: backupOf(manifest) }
  const backup = { ...backupOf(manifest), ...asBroken('BACKUP_BROKEN', why) }
  return { folder, manifest, backup }
}

async function withoutManifest(folder: string, id: string, part: 'stored' | 'partial', why: string): Promise<Entry> {
  const path = partPath(folder, id, part)
  const backup: Backup = {
    id,
    tenant: null,
    path,
    takenAt: timeInId(id),
    confirmedAt: null,
    verifiedAt: null,
    sha256: null,
    bytes: null,
    storedBytes: (await statsOf(path))?.size ?? 0,
    level: null,
    ...asBroken('BACKUP_BROKEN', why),
  }
  return { folder, manifest: null, backup }
}

const asBroken = (code: FailureCode, message: string): Pick<Backup, 'state' | 'failure'> => ({
  state: 'broken',
  failure: { code, message },
})

export function backupOf(manifest: BackupManifest): Backup {
  const { id, tenant, path, takenAt, confirmedAt, verifiedAt, sha256, bytes, storedBytes, broken } = manifest
  const state = verifiedAt === null ? 'unverified' : 'verified'
  const judged =
    broken === null ? ({ state, failure: null } as const) : asBroken(broken.code, `${broken.message} (${broken.at})`)
  const { level } = manifest.evidence
  const latest = manifest.takenAtLatest === true ? { takenAtLatest: true as const } : {}
  return { id, tenant, path, takenAt, ...latest, confirmedAt, verifiedAt, sha256, bytes, storedBytes, level, ...judged }
}

async function whyNotStored(folder: string, { id, storedBytes }: BackupManifest): Promise<string | null> {
  const path = partPath(folder, id, 'stored')
  const why = await whyUntrusted(path, (found) => found.isFile())
  if (why !== null) return why === 'gone' ? 'its stored file is gone' : why
  const size = (await statsOf(path))?.size
  return size === storedBytes ? null : `its stored file has ${size} bytes instead of ${storedBytes}`
}

/** @returns null if only root and we can write it; `gone` if there is nothing of this name */
async function whyUntrusted(path: string, isOfKind: (found: Stats) => boolean): Promise<string | null> {
  const found = await statsOf(path)
  if (found === null) return 'gone'
  if (!isOfKind(found)) return `${path} is not what holdfast made`
  const user = process.geteuid?.()
  if (user !== undefined && found.uid !== 0 && found.uid !== user)
    return `${path} belongs to another user (uid ${found.uid})`
  if ((found.mode & 0o022) !== 0) return `other users may write ${path} (mode ${(found.mode & 0o777).toString(8)})`
  return null
}

const statsOf = (path: string): Promise<Stats | null> =>
  lstat(onDisk(path)).catch((error: unknown) => {
    if (isNotFound(error)) return null
    throw error
  })

/** How long a writer may go on where the file system has no locks that show it. */
const writtenWithinMs = 3_600_000

/** A store on a disk that is mounted read-only can be read all the same: to ask for a lock needs no right to write. */
async function isBeingWritten(path: string): Promise<boolean> {
  const found = await statsOf(path)
  if (found !== null && !found.isFile()) return false // No run of ours made it.
  try {
    await using file = await open(onDisk(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return findConflict(file.fd, 'write', writerLock) !== null
    } catch {
      return Date.now() - (await file.stat()).mtimeMs < writtenWithinMs
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true // It has got its name, or was deleted.
    if (code === 'ELOOP') return false
    throw error
  }
}

/** Deletes what dead writers left in a folder, and completes the deletions that they began. Backups stay. */
export async function removeLeftovers(folder: string): Promise<readonly string[]> {
  const removed: string[] = []
  for (const [id, parts] of await partsIn(folder)) {
    if (parts.has('removed')) {
      await unlinkIfThere(partPath(folder, id, 'stored'))
      await unlinkIfThere(partPath(folder, id, 'removed'))
      removed.push(id)
    } else if (parts.has('partial') && (await isDead(partPath(folder, id, 'partial')))) {
      await unlinkIfThere(partPath(folder, id, 'partial'))
      removed.push(id)
    }
  }
  for (const name of await readdir(onDisk(folder))) {
    const path = join(folder, name)
    const found = partOf(name)?.part === 'draft' ? await statsOf(path) : null
    if (found?.isFile() === true && Date.now() - found.mtimeMs > writtenWithinMs) await unlinkIfThere(path)
  }
  return removed
}

/** False for what is no file: no run of ours made it. */
async function isDead(partial: string): Promise<boolean> {
  if ((await statsOf(partial))?.isFile() !== true || (await isBeingWritten(partial))) return false
  await using file = await open(onDisk(partial), constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return tryLock(file.fd, 'write', writerLock) === 'granted'
  } catch {
    return true // No locks here; `isBeingWritten` judged by its age.
  }
}

export const unlinkIfThere = (path: string): Promise<void> =>
  unlink(onDisk(path)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  })
