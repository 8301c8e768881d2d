import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { Failure } from '../../model/failure.ts'

const tokenBytesMax = 8_192

/**
 * The bearer token in `file`, without surrounding white space. Looked at and read through one descriptor, so that both concern the same file.
 * @throws {Failure} NO_PERMISSION when group or others can read it, CONFIG_INVALID when it holds no token
 */
export async function readToken(file: string): Promise<string> {
  await using handle = await openToken(file)
  const { mode } = await handle.stat()
  if ((mode & 0o077) !== 0) {
    throw new Failure('NO_PERMISSION', `the token file ${file} can be read or written by others than its owner (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`, { hint: `chmod 600 ${file}, and give the service a new token: this one may be known` })
  }
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(tokenBytesMax + 1), 0, tokenBytesMax + 1, 0)
  const token = buffer.toString('latin1', 0, bytesRead).trim()
  if (bytesRead > tokenBytesMax || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Failure('CONFIG_INVALID', `the token file ${file} must hold one line of printable characters without spaces, at most ${tokenBytesMax} bytes`)
  }
  return token
}

async function openToken(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw new Failure('NO_PERMISSION', `the token file ${file} cannot be read by this user`, { cause: error })
    throw new Failure('CONFIG_INVALID', `the token file ${file} cannot be opened (${code})`, { cause: error })
  }
}
