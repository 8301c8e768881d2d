/** Folders that a person or a configuration names: made with those above them, tried, and taken away again. */
import { mkdir, mkdtemp, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '../model/failure.ts'

/**
 * Makes a folder and those above it; one that is there is fine. Node's own `recursive` would ask for ever where the kernel has no file below a folder that is
 * there (ENOENT in /proc), at full speed, where no signal reaches it. Here each is asked for once.
 * @returns those that were made, the topmost first; where one cannot be, none is left
 * @throws the error of stat or mkdir; see `failureOfFolder`
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

/** Tries whether a folder can be made, or written in where it is there, and leaves everything as it was. @throws the error of the call that was refused */
export async function tryFolder(folder: string, mode: number): Promise<void> {
  const made = await makeFolder(folder, mode)
  try {
    await rmdir(await mkdtemp(join(folder, '.holdfast-')))
  } finally {
    await removeFolders(made)
  }
}

/** Takes away what `makeFolder` made. What somebody has put something into since stays. */
export async function removeFolders(made: readonly string[]): Promise<void> {
  for (const path of made.toReversed()) {
    try {
      await rmdir(path)
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error))) return
      throw error
    }
  }
}

/** The Failure that an error of a call on a folder, or on a new file in it, stands for; what is no error of the system is passed on. */
export function failureOfFolder(folder: string, error: unknown): unknown {
  if (error instanceof Failure) return error
  if (folder === '') return new Failure('USAGE', 'an empty name is no folder', { hint: 'name a folder', cause: error })
  const code = codeOf(error)
  switch (code) {
    case 'ENOENT':
      return new Failure('NOT_FOUND', `the folder ${folder} is not there and cannot be made`, { hint: 'name a folder on a file system that has files', cause: error })
    case 'ENOTDIR':
    case 'EEXIST':
      return new Failure('USAGE', `${folder} is no folder, or one above it is none`, { hint: 'name a new folder', cause: error })
    case 'EACCES':
    case 'EPERM':
      return new Failure('NO_PERMISSION', `the folder ${folder} cannot be made or written by this user`, { hint: 'name a folder that this user may write', cause: error })
    case 'EROFS':
      return new Failure('NO_PERMISSION', `the folder ${folder} lies on a read-only file system`, { hint: 'name a folder that can be written', cause: error })
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('NO_SPACE', `the disk is full where the folder ${folder} is`, { hint: 'free space there, or name a folder on another disk', cause: error })
    case 'ENAMETOOLONG':
      return new Failure('NOT_FOUND', `the name of the folder is too long: ${folder.slice(0, 80)}\u2026`, { hint: 'name another folder', cause: error })
    default:
      return error instanceof Error && 'errno' in error ? new Failure('READ_FAILED', `the folder ${folder} cannot be used: ${error.message}`, { tenant: 'untouched', cause: error }) : error
  }
}

/** Made it, or found it made by somebody else meanwhile? */
async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await isFolder(path))) return false
    throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
