import { stat } from 'node:fs/promises'
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { readSmallFile } from '../../host/files/small-file.ts'
import { Failure } from '../../model/failure.ts'
import { requireTrustedFile } from './trusted-file.ts'

const tokenBytesMax = 8_192

/** How messages name a file with a secret, and the setting that names it. */
interface NamedFile {
  readonly what: string
  readonly setting: string
}

const tokenFile: NamedFile = { what: 'the token file', setting: 'service.tokenFile' }

/**
 * The bearer token, or another secret of one line, in `file`, without surrounding white space.
 * @throws {Failure} NO_PERMISSION if group or others can read it; CONFIG_INVALID if another user could change it, or if
 * it holds no token
 */
export async function readToken(file: string, named: NamedFile = tokenFile): Promise<string> {
  const { what } = named
  const refused = (cause: unknown): never => failToOpen(file, named, cause)
  requirePrivate(file, named, (await stat(file).catch(refused)).mode)
  requireTrustedFile(file, what)
  const read = await readSmallFile(file, tokenBytesMax, 'follow').catch(refused)
  if (read.kind === 'read') requirePrivate(file, named, read.mode)
  if (read.kind === 'not-regular') throw new Failure('CONFIG_INVALID', `${what} ${file} is not a regular file`)
  const token = read.kind === 'read' ? read.bytes.toString('latin1').trim() : ''
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Failure(
      'CONFIG_INVALID',
      `${what} ${file} must hold one line of printable characters without spaces, at most ${tokenBytesMax} bytes`,
    )
  }
  return token
}

function requirePrivate(file: string, { what }: NamedFile, mode: number): void {
  if ((mode & 0o077) === 0) return
  throw new Failure(
    'NO_PERMISSION',
    `${what} ${file} can be read or written by others than its owner ` +
      `(mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
    { hint: `chmod 600 ${file}, and replace the secret in it: this one may be known` },
  )
}

function failToOpen(file: string, { what, setting }: NamedFile, cause: unknown): never {
  const isRefused = isSystemError(cause) && ['EACCES', 'EPERM'].includes(nameOfError(cause))
  throw systemFailure(cause, {
    doing: `read ${what}`,
    path: file,
    elsewhere: `name another in ${setting}`,
    ...(isRefused ? {} : { pathCode: 'CONFIG_INVALID' }),
  })
}
