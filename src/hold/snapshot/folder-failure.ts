/** What it means that a folder that a person or a configuration named cannot be made or written. */
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { Failure } from '../../model/failure.ts'

/**
 * The Failure that an error of a call on a folder, or on a new file in it, stands for. What is no error of the system
 * is passed on.
 * @param elsewhere how to take another folder
 */
export function failureOfFolder(folder: string, error: unknown, elsewhere = 'name another folder'): unknown {
  if (error instanceof Failure) return error
  if (folder === '') return new Failure('USAGE', 'an empty name is no folder', { hint: 'name a folder', cause: error })
  if (isSystemError(error) && ['ENOTDIR', 'EEXIST'].includes(nameOfError(error))) {
    const hint = 'name a new folder'
    return new Failure('USAGE', `${folder} is no folder, or one above it is none`, { hint, cause: error })
  }
  return systemFailure(error, { doing: 'make or write the folder', path: folder, tenant: 'untouched', elsewhere })
}
