import { fchownSync, fstatSync, statSync } from 'node:fs'

/** A run as root must not lock the folder's owner out of the next run. */
export function belongToFolder(descriptor: number, path: string): void {
  const { uid, gid } = statSync(path)
  if (process.getuid?.() === 0 && uid !== 0 && fstatSync(descriptor).uid === 0) fchownSync(descriptor, uid, gid)
}
