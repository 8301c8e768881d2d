import { randomUUID } from 'node:crypto'
import { constants, openSync, unlinkSync } from 'node:fs'
import { OpenFolder } from '../folders/open-folder.ts'

/**
 * A file in a folder that may belong to any user. No other process can open it, and it is gone when it is closed, also
 * when our process dies.
 * @throws the error of creating it: EACCES, EROFS, ENOSPC and others
 */
export function openUnnamedFile(path: string): number {
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
  if (process.platform === 'linux') {
    try {
      return openSync(path, O_TMPFILE | constants.O_RDWR, 0o600)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // EOPNOTSUPP comes from file systems without O_TMPFILE, EISDIR from overlay on them.
      if (code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'EISDIR') throw error
    }
  }
  using folder = OpenFolder.named(path)
  const named = folder.at(`.holdfast-${randomUUID()}`)
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const descriptor = openSync(named, flags, 0o600)
  unlinkSync(named)
  return descriptor
}
