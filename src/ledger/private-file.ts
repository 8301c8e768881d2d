import { fchownSync, fstatSync, statSync } from 'node:fs'

/** A run as root must not lock the folder's owner out of the next run. */
export function belongToFolder(descriptor: number, path: string): void {
  const folder = statSync(path)
  if (process.getuid?.() === 0 && fstatSync(descriptor).uid === 0 && folder.uid !== 0) fchownSync(descriptor, folder.uid, folder.gid)
}
