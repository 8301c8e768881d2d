import { findUntrusted } from '../../host/files/trusted-path.ts'
import { Failure } from '../../model/failure.ts'

/**
 * For a file that decides which service holdfast talks to.
 * @param what names the file in the message: `the token file`
 * @throws {Failure} CONFIG_INVALID if another user could change the file
 */
export function requireTrustedFile(file: string, what: string): void {
  const untrusted = findUntrusted(file, 'file')
  if (untrusted === null) return
  const where = untrusted.path === file ? '' : `${untrusted.path} leads to it: `
  throw new Failure('CONFIG_INVALID', `${what} ${file} could be changed by another user: ${where}${untrusted.why}`, {
    hint: untrusted.remedy ?? 'keep it in a folder that no other user can write, such as /etc/holdfast',
  })
}
