/**
 * Each run has a private folder of its own for its drafts, its snapshots and the rooms of those who read them. Its
 * end deletes it.
 */
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { canReflink } from '../../host/files/copying.ts'
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
 * Also deletes what runs that are gone left there.
 * @param given folder from the command line or the configuration; null: under TMPDIR, or beside the file where that
 * shares blocks with it
 * @param file a database that will be copied first
 * @throws {Failure} SNAPSHOT_UNSAFE; where it cannot be made, what `failureOfFolder` says
 */
export async function openSnapshotFolder(given: string | null, file: string | null): Promise<TemporaryFolder> {
  if (given !== null) await requirePrivateFolder(given)
  const parent = given ?? (file !== null && (await reflinksBeside(file)) ? dirname(file) : tmpdir())
  if (given === null) requireTrustedFolder(parent, 'shared-folder', anotherFolder)
  return openFolderOfRun(parent, prefix)
}

/**
 * A folder of this process below `parent`, once those that dead processes left there are gone.
 * @throws what `failureOfFolder` says
 */
export async function openFolderOfRun(parent: string, prefix: string): Promise<OwnedFolder> {
  await removeAbandonedFolders(parent, prefix, await holdsLocks(parent))
  return openOwnedFolder(parent, prefix).catch((error: unknown) => {
    throw failureOfFolder(parent, error, otherDisk)
  })
}

/** Do the locks of this file system hold for every process that can reach it? */
function holdsLocks(folder: string): Promise<boolean> {
  return fileSystemOf(folder).then(
    (fileSystem) => isTrusted(fileSystem, []),
    () => false,
  )
}

/** Beside the file only where that saves the copy, TMPDIR does not, and nobody else may rename there. */
async function reflinksBeside(file: string): Promise<boolean> {
  try {
    if (!file.isWellFormed()) return false // A name that is not UTF-8 is no place for a folder of ours.
    if (!(await stat(file)).isFile() || findUntrusted(dirname(file), 'shared-folder') !== null) return false
    requireTrustedFolder(tmpdir(), 'shared-folder')
    using source = openDescriptor(file, 'read-only')
    return !(await canReflink(source.number, tmpdir())) && (await canReflink(source.number, dirname(file)))
  } catch {
    return false // Whatever is wrong with the file, the hold will say it; here it only means: TMPDIR.
  }
}
