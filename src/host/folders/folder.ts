/** Folders that a person or a configuration names: made with those above them, tried, and taken away again. */
import { randomUUID } from 'node:crypto'
import { mkdir, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onDisk } from '../files/file-name.ts'

/**
 * Makes a folder and those above it; one that is there is fine. Node's own `recursive` would ask for ever where the
 * kernel has no file below a folder that is there (ENOENT in /proc), at full speed, where no signal reaches it. Here
 * each is asked for once.
 * @returns those that were made, the topmost first; where one cannot be, none is left
 * @throws the error of stat or mkdir
 */
export async function makeFolder(folder: string, mode: number): Promise<readonly string[]> {
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
 * Tries whether a folder can be made, or written in where it is there, and leaves everything as it was.
 * @throws the error of the call that was refused
 */
export async function tryFolder(folder: string, mode: number): Promise<void> {
  const made = await makeFolder(folder, mode)
  try {
    const tried = join(folder, `.holdfast-${randomUUID()}`)
    await mkdir(onDisk(tried), { mode: 0o700 })
    await rmdir(onDisk(tried))
  } finally {
    await removeFolders(made)
  }
}

/** Takes away what `makeFolder` made. What somebody has put something into since stays. */
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

/** Made it, or found it made by somebody else meanwhile? */
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
