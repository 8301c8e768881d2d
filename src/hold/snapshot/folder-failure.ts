/** The failure if a folder that a person or a configuration named cannot be made or written. */
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { Failure } from '../../model/failure.ts'

/**
 * @param error of a call on the folder, or on a new file in it
 * @param elsewhere how to use another folder
 * @returns the failure; an error that is none of the system as it is
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
