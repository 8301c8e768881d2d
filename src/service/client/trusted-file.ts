import { findUntrusted } from '../../host/files/trusted-path.ts'
import { Failure } from '../../model/failure.ts'

/**
 * Of a file that decides whom holdfast talks to.
 * @param what it is: `the token file`
 * @throws {Failure} CONFIG_INVALID when another user could change it
 */
export function requireTrustedFile(file: string, what: string): void {
  const untrusted = findUntrusted(file, 'file')
  if (untrusted === null) return
  const where = untrusted.path === file ? '' : `${untrusted.path} leads to it: `
  throw new Failure('CONFIG_INVALID', `${what} ${file} could be changed by another user: ${where}${untrusted.why}`, {
    hint: untrusted.remedy ?? 'keep it in a folder that no other user can write, such as /etc/holdfast',
  })
}
