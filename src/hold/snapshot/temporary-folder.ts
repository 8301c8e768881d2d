/** Each run has a private folder for its drafts, its snapshots and the sandboxes of its readers. Its end deletes it. */
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { canReflink } from '../../host/files/copy-range.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import { fileSystemOf } from '../../host/files/file-system.ts'
import { findUntrusted } from '../../host/files/trusted-path.ts'
import { openOwnedFolder, removeAbandonedFolders, type OwnedFolder } from '../../host/folders/owned-folder.ts'
import { isTrusted } from '../preflight.ts'
import { otherDisk } from './draft.ts'
import { failureOfFolder } from './folder-failure.ts'
import { requirePrivateFolder, requireTrustedFolder } from './private-folder.ts'

export type TemporaryFolder = Pick<OwnedFolder, 'path' | keyof AsyncDisposable>

const prefix = 'holdfast-'
const anotherFolder = 'name a private folder with --snapshots DIR, or a TMPDIR that no other user can write'

/**
 * Also deletes what dead runs left there.
 * @param given folder from the command line or the configuration; null: under TMPDIR, or beside the file if that shares
 * blocks with it
 * @param file a database that will be copied first
 * @throws {Failure} SNAPSHOT_UNSAFE; `failureOfFolder` if it cannot be made
 */
export async function openSnapshotFolder(given: string | null, file: string | null): Promise<TemporaryFolder> {
  if (given !== null) await requirePrivateFolder(given)
  const parent = given ?? (file !== null && (await reflinksBeside(file)) ? dirname(file) : tmpdir())
  if (given === null) requireTrustedFolder(parent, 'shared-folder', anotherFolder)
  return openFolderOfRun(parent, prefix)
}

/** `removed`: names of folders that dead processes had left beside it, and that were deleted. */
type FolderOfRun = OwnedFolder & { readonly removed: readonly string[] }

/**
 * Makes a folder of this process below `parent`, after those of dead processes were deleted.
 * @param elsewhere how to use another folder @throws as `failureOfFolder`
 */
export async function openFolderOfRun(parent: string, prefix: string, elsewhere = otherDisk): Promise<FolderOfRun> {
  const removed = await removeAbandonedFolders(parent, prefix, await holdsLocks(parent))
  const folder = await openOwnedFolder(parent, prefix).catch((error: unknown) => {
    throw failureOfFolder(parent, error, elsewhere)
  })
  return Object.assign(folder, { removed })
}

/** Whether the locks of this file system hold for every process that can reach it. */
function holdsLocks(folder: string): Promise<boolean> {
  return fileSystemOf(folder).then(
    (fileSystem) => isTrusted(fileSystem, []),
    () => false,
  )
}

/** Beside the file only if that saves the copy, TMPDIR does not, and no other user may rename there. */
async function reflinksBeside(file: string): Promise<boolean> {
  try {
    if (!file.isWellFormed()) return false // SQLite opens what lies in our folder, and takes names in UTF-8 only.
    if (!(await stat(file)).isFile() || findUntrusted(dirname(file), 'shared-folder') !== null) return false
    requireTrustedFolder(tmpdir(), 'shared-folder')
    using source = openDescriptor(file, 'read-only')
    return !(await canReflink(source.number, tmpdir())) && (await canReflink(source.number, dirname(file)))
  } catch {
    return false // The hold will report what is wrong with the file.
  }
}
