/** Puts a tenant id into a command line. An id is untrusted text: it stays one argument and never becomes an option. */
import { Failure } from '../../model/failure.ts'
import { maskedCommand } from './command-secrets.ts'

const placeholder = '{tenant}'

/**
 * Replaces `{tenant}` in a command, and other words in braces. An id that begins with a dash is allowed only where no
 * program reads it as an option. That is after an argument `--`, or inside an argument, as in `--tenant={tenant}`.
 * @param others by their name without braces; what they stand for must not begin with a dash
 * @param setting the section of the configuration, for hints
 * @throws {Failure} CONFIG_INVALID if the id cannot be passed safely
 */
export function commandFor(
  argv: readonly string[],
  tenant: string,
  others: Readonly<Record<string, string>> = {},
  setting = 'service.hooks',
): readonly string[] {
  const refuse = (why: string, hint: string): Failure =>
    new Failure(
      'CONFIG_INVALID',
      `tenant ${JSON.stringify(tenant)} cannot be passed to ${maskedCommand(argv)}: ${why}`,
      { hint },
    )
  if (tenant.includes('\0'))
    throw refuse('no argument can hold a NUL', 'rename the tenant, or give the service an admin API')
  const unsafe = argv.some((argument, at) => argument.startsWith(placeholder) && !argv.slice(0, at).includes('--'))
  if (tenant.startsWith('-') && unsafe)
    throw refuse(
      'it would be read as an option',
      `in ${setting} put "--" before "{tenant}", or write it as "--tenant={tenant}"`,
    )
  if (argv[0]?.includes(placeholder))
    throw refuse('the program itself must not depend on the tenant', `name a fixed program first in ${setting}`)
  // In one pass: an id may itself contain a word in braces.
  const values: ReadonlyMap<string, string> = new Map([...Object.entries(others), ['tenant', tenant]])
  return argv.map((argument) => argument.replaceAll(/\{(\w+)\}/g, (given, name: string) => values.get(name) ?? given))
}
