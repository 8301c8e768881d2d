/** Puts a tenant id into a command line. An id is untrusted text: it stays one argument and never becomes an option. */
import { Failure } from '../../model/failure.ts'

const placeholder = '{tenant}'

/**
 * Replaces `{tenant}` in a command. An id that begins with a dash is allowed only where no program reads it as an
 * option: after an argument `--`, or inside an argument, as in `--tenant={tenant}`.
 * @throws {Failure} CONFIG_INVALID if the id cannot be passed safely
 */
export function commandFor(argv: readonly string[], tenant: string): readonly string[] {
  const refuse = (why: string, hint: string): Failure =>
    new Failure(
      'CONFIG_INVALID',
      `tenant ${JSON.stringify(tenant)} cannot be passed to ${JSON.stringify(argv)}: ${why}`,
      { hint },
    )
  if (tenant.includes('\0'))
    throw refuse('no argument can hold a NUL', 'rename the tenant, or give the service an admin API')
  const unsafe = argv.some((argument, at) => argument.startsWith(placeholder) && !argv.slice(0, at).includes('--'))
  if (tenant.startsWith('-') && unsafe)
    throw refuse(
      'it would be read as an option',
      'in service.hooks put "--" before "{tenant}", or write it as "--tenant={tenant}"',
    )
  if (argv[0]?.includes(placeholder))
    throw refuse('the program itself must not depend on the tenant', 'name a fixed program first in service.hooks')
  return argv.map((argument) => argument.split(placeholder).join(tenant))
}
