/**
 * Folders that an operator or a configuration names: makes them and their parents, tries them, and removes them again.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onDisk } from '../files/file-name.ts'

/**
 * Makes a folder and its missing parents; an existing one is fine. Node's own `recursive` repeats for ever, and no
 * signal stops it, where the kernel has no file below an existing folder (ENOENT in /proc). Here each folder is asked
 * for once.
 * @returns the folders that were made, the topmost first; if one cannot be made, none is left
 * @throws the error of stat or mkdir
 */
export async function makeFolders(folder: string, mode: number): Promise<readonly string[]> {
  const missing: string[] = []
  for (let at = folder; !(await isFolder(at)); at = dirname(at)) {
    missing.unshift(at)
    if (dirname(at) === at) break
  }
  const made: string[] = []
  try {
    for (const path of missing) if (await makeOne(path, mode)) made.push(path)
  } catch (error) {
    await removeFolders(made)
    throw error
  }
  return made
}

/**
 * Tries whether a folder can be made, or written to if it exists, and leaves everything as it was.
 * @throws the error of the call that was refused
 */
export async function tryFolder(folder: string, mode: number): Promise<void> {
  const made = await makeFolders(folder, mode)
  try {
    const tried = join(folder, `.holdfast-${randomUUID()}`)
    await mkdir(onDisk(tried), { mode: 0o700 })
    await rmdir(onDisk(tried))
  } finally {
    await removeFolders(made)
  }
}

/** Removes what `makeFolders` made. A folder that is no longer empty stays. */
export async function removeFolders(made: readonly string[]): Promise<void> {
  for (const path of made.toReversed()) {
    try {
      await rmdir(onDisk(path))
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error))) return
      throw error
    }
  }
}

/** True if this call made it; false if it existed, or another process made it meanwhile. */
async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(onDisk(path), { mode })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await isFolder(path))) return false
    throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(onDisk(path))).isDirectory()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
