/** What it means that a folder that somebody named cannot be made or written: said with its path. */
import { Failure } from '../model/failure.ts'

/** The Failure that an error of a call on a folder, or on a new file in it, stands for; what is no error of the system is passed on. */
export function failureOfFolder(folder: string, error: unknown): unknown {
  if (error instanceof Failure) return error
  if (folder === '') return new Failure('USAGE', 'an empty name is no folder', { hint: 'name a folder', cause: error })
  switch ((error as NodeJS.ErrnoException).code) {
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
