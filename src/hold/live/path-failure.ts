/** The failure that an error of the system on a path of a live set stands for. */
import { accessSync, constants } from 'node:fs'
import { isSystemError, nameOfError, systemFailure, type SystemError } from '../../host/failures/system-failure.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { Failure } from '../../model/failure.ts'
import { shellWord } from '../../text/shell-words.ts'

/** @returns the failure for an error of a call on `path`; an error that is none of the system as it is */
export function failureOfPath(path: string, error: unknown): unknown {
  if (!isSystemError(error)) return error
  switch (nameOfError(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Failure('NOT_FOUND', `there is no file ${path}`, { cause: error })
    case 'EROFS':
      return new Failure('NO_PERMISSION', `${path} lies on a read-only file system, where no lock can be taken`, {
        cause: error,
        hint: asCopy(path),
      })
    case 'ELOOP':
      if (error.syscall !== 'open') return openFailure(path, error) // A link that leads in a circle.
      return new Failure('MANY_NAMES', `${path} is a symbolic link, or became one while holdfast checked it`, {
        cause: error,
      })
    case 'EISDIR':
    case 'ENXIO':
      return new Failure('NOT_A_FILE', `${path} is not a regular file`, { cause: error })
    case 'EPERM': {
      const { code, message, hint, tenantState } = openFailure(path, error)
      return new Failure(code, message, { cause: error, tenant: tenantState, hint: `${hint}; or ${asCopy(path)}` })
    }
    case 'EACCES':
      return error.syscall === 'open' && isReadable(path) ? writeRefused(path, error) : openFailure(path, error)
    default:
      return openFailure(path, error)
  }
}

export function openFailure(path: string, error: SystemError): Failure
export function openFailure(path: string, error: unknown): unknown
export function openFailure(path: string, error: unknown): unknown {
  return systemFailure(error, { doing: 'open', path, tenant: 'untouched' })
}

/** For a user who may read the file, and would wonder why that is not enough. */
function writeRefused(path: string, error: SystemError): Failure {
  const { code, message, hint, tenantState } = openFailure(path, error)
  const why = 'holdfast opens the file for writing, to lock it (it writes nothing)'
  return new Failure(code, message, { cause: error, tenant: tenantState, hint: `${why}; ${hint}` })
}

function isReadable(path: string): boolean {
  try {
    accessSync(onDisk(path), constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** A file that no program can write needs no lock. */
const asCopy = (path: string): string =>
  `if no program can write it, check it as a private copy: \`holdfast check --snapshot ${shellWord(path)}\``
