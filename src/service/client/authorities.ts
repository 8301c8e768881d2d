/** The authorities whose certificates prove that a server is the right one, from a file of the configuration. */
import { systemFailure } from '../../host/failures/system-failure.ts'
import { readSmallFile } from '../../host/files/small-file.ts'
import { Failure } from '../../model/failure.ts'
import { requireTrustedFile } from './trusted-file.ts'

/** Several times the size of a file with all authorities that a system knows. */
const bytesMax = 4_000_000

/**
 * @param setting the key that names the file, for messages: `service.caFile`
 * @throws {Failure} CONFIG_INVALID, NO_PERMISSION
 */
export async function readAuthorities(file: string, setting: string): Promise<Buffer> {
  requireTrustedFile(file, `the file of ${setting}`)
  const refused = (why: string): Failure =>
    new Failure('CONFIG_INVALID', `the certificates in ${setting} ${file} cannot be read (${why})`)
  const read = await readSmallFile(file, bytesMax, 'follow').catch((error: unknown) => {
    throw systemFailure(error, { doing: `read the certificates in ${setting}`, path: file, pathCode: 'CONFIG_INVALID' })
  })
  if (read.kind !== 'read')
    throw refused(read.kind === 'too-large' ? `it has more than ${bytesMax} bytes` : 'it is not a regular file')
  // TLS takes any bytes for a list of no authorities, and then refuses every server.
  if (!/^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/m.test(read.bytes.toString('latin1')))
    throw refused('it has no certificate in the form of PEM')
  return read.bytes
}
