import { fchownSync, fstatSync, statSync } from 'node:fs'

/** Gives a file that root has made to the owner of the folder: otherwise that user could not begin the next run. */
export function giveToFolderOwner(descriptor: number, folder: string): void {
  const { uid, gid } = statSync(folder)
  if (process.getuid?.() === 0 && uid !== 0 && fstatSync(descriptor).uid === 0) fchownSync(descriptor, uid, gid)
}
