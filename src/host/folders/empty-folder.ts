/** Deletes the contents of a folder that another user may have made, or may be changing. */
import { randomUUID } from 'node:crypto'
import { rename, rmdir, unlink } from 'node:fs/promises'
import type { OpenFolder } from './open-folder.ts'

/**
 * Deletes everything in a folder, however deep, and never follows a link. It takes ownership of the folder, and of each
 * folder in it before it looks inside. It never enters a folder by its path: an inner folder is first moved up into the
 * one that is ours.
 * @param except a name that stays
 * @throws the error of the call that was refused; one for another file system that is mounted there
 */
export async function emptyFolder(folder: OpenFolder, except: string | null = null): Promise<void> {
  const names = (): readonly Buffer[] => folder.names().filter((name) => name.toString() !== except)
  folder.takeOver()
  for (let found = names(); found.length > 0; found = names()) {
    for (const name of found) if (!(await isUnlinked(folder, name))) await flatten(folder, name)
  }
}

/** Deletes the files of a folder in `top`, moves its folders to `top`, and deletes the folder itself. */
async function flatten(top: OpenFolder, name: Buffer): Promise<void> {
  {
    using folder = top.below(name)
    const isMounted = folder.stat().dev !== top.stat().dev
    if (isMounted) throw new Error(`another file system is mounted at ${JSON.stringify(folder.path)}`)
    folder.takeOver()
    for (const below of folder.names()) {
      if (!(await isUnlinked(folder, below))) await rename(folder.at(below), top.at(randomUUID()))
    }
  }
  await rmdir(top.at(name))
}

/** False for a folder. */
async function isUnlinked(folder: OpenFolder, name: Buffer): Promise<boolean> {
  try {
    await unlink(folder.at(name))
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true
    if (code === 'EISDIR' || code === 'EPERM') return false // EPERM is the answer of POSIX, and of Apple.
    throw error
  }
}
