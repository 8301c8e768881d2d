/** The options that a command line gives, also where the command refuses it. */
import { Command, CommanderError, Option } from 'commander'

export type GivenOptions = Readonly<Record<string, unknown>>

/**
 * Reads options as commander will read them, but refuses none: unknown options, forbidden values and missing arguments
 * are passed over. So it is known how a command prints even if commander stops in the middle of its options.
 *
 * It uses a second command of commander with the same flags. Flags decide which word is an option and which is a
 * value: in `--tenant --json` the second word is a tenant.
 * @param flags of each option, such as `--format <format>`
 * @param words those that commander gives to the command
 */
export function givenOptions(flags: readonly string[], words: readonly string[]): GivenOptions {
  const reader = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  for (const one of flags) reader.addOption(new Option(one))
  try {
    reader.parseOptions([...words])
  } catch (error) {
    // The last word is an option without its value: all words before it have been read.
    if (!(error instanceof CommanderError)) throw error
  }
  return reader.opts()
}
