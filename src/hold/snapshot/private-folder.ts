/** Folders for customers' data: no other user may read them, or change where their names lead. */
import { stat } from 'node:fs/promises'
import { findUntrusted, type PathUse } from '../../host/files/trusted-path.ts'
import { makeFolders } from '../../host/folders/folder.ts'
import { Failure } from '../../model/failure.ts'
import { failureOfFolder } from './folder-failure.ts'

/**
 * Makes the folder with mode 0700. Refuses it if another user can read it, or could put another one in its place.
 * @param hint what to do about an unsafe one, if it is not the folder of the snapshots
 * @throws {Failure} SNAPSHOT_UNSAFE; `failureOfFolder` if it cannot be made
 */
export async function requirePrivateFolder(folder: string, hint: string | null = null): Promise<void> {
  // SQLite opens what lies there, and takes names in UTF-8 only.
  if (!folder.isWellFormed()) {
    throw new Failure('USAGE', 'a folder for snapshots needs a name in UTF-8', { hint: 'name another folder' })
  }
  await makeTrustedFolder(folder)
  const found = await stat(folder)
  const unsafe = (why: string): Failure =>
    new Failure('SNAPSHOT_UNSAFE', `${folder} ${why}`, hint === null ? {} : { hint })
  if ((found.mode & 0o077) !== 0) throw unsafe(`is open to others (mode ${(found.mode & 0o777).toString(8)})`)
  const user = process.geteuid?.()
  if (user !== undefined && found.uid !== user) throw unsafe(`belongs to another user (uid ${found.uid})`)
}

/**
 * Makes a folder (0700) and those above it, or uses the one that is there.
 * @returns the folders that were made, the topmost first
 * @throws {Failure} SNAPSHOT_UNSAFE; `failureOfFolder` if it cannot be made
 */
export async function makeTrustedFolder(folder: string): Promise<readonly string[]> {
  // Before anything is made: another user's link could lead elsewhere.
  requireTrustedFolder(folder, 'folder')
  const made = await makeFolders(folder, 0o700).catch((error: unknown) => {
    throw failureOfFolder(folder, error)
  })
  requireTrustedFolder(folder, 'folder') // Again: a folder that appeared meanwhile may be another user's.
  return made
}

/**
 * @param hint how to use another folder
 * @throws {Failure} SNAPSHOT_UNSAFE if another user could change where the name of a folder leads
 */
export function requireTrustedFolder(folder: string, use: Exclude<PathUse, 'file'>, hint = anotherFolder): void {
  const untrusted = folder === '' ? null : findUntrusted(folder, use)
  if (untrusted === null) return
  const where = untrusted.path === folder ? '' : `${untrusted.path} leads to it: `
  throw new Failure('SNAPSHOT_UNSAFE', `another user could change where ${folder} leads: ${where}${untrusted.why}`, {
    hint: use === 'folder' || untrusted.remedy === null ? hint : `${untrusted.remedy}, or ${hint}`,
  })
}

const anotherFolder = 'name a folder of its own with mode 0700, below folders that no other user can write'
