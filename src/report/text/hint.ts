/**
 * Hints as they are printed: their commands ask the service that was asked, and none is the command that was just run.
 */

import { failureKinds, type FailureCode } from '../../model/failure.ts'
import { shellWord } from '../../text/shell-words.ts'

/** The command line that is being carried out. */
export interface CommandLine {
  /** The words after `holdfast`. */
  readonly words: readonly string[]
  /** Absolute path of the configuration that it names; null where it names none. */
  readonly config: string | null
}

/**
 * The command with the configuration that the run was given. Without it the command would ask another service.
 * @param config null where the command finds the configuration by itself
 */
export const withConfiguration = (command: string, config: string | null): string =>
  config === null || named.test(command)
    ? command
    : command.replace(configured, (words) => `${words} --config ${shellWord(config)}`)

const configured = /^holdfast (?:check|compare|doctor|history|pull|resume|status|sweep)\b/
const named = / --config[ =]/

/** The same for commands between backticks, as a sentence has them. */
export const withConfigurations = (sentence: string, config: string | null): string =>
  config === null
    ? sentence
    : sentence.replaceAll(quoted, (_, command: string) => `\`${withConfiguration(command, config)}\``)

const quoted = /`(holdfast [^`]+)`/g

/** @param hint a sentence, or nothing but a command */
export function hintFor({ code, hint }: { readonly code: string; readonly hint: string }, line: CommandLine): string {
  const candidates = [hint, otherwise(code), `\`holdfast explain ${code}\` says more`]
  const said =
    candidates.find((one) => one !== '' && !commandsIn(one).some((command) => isRepeat(command, code, line))) ??
    'see `holdfast --help`'
  return withConfigurations(withConfiguration(said, line.config), line.config)
}

/** Of a defect in holdfast (`BUG`) the table knows nothing. */
const otherwise = (code: string): string =>
  Object.hasOwn(failureKinds, code) ? (failureKinds[code as FailureCode].otherwise ?? '') : ''

/** A hint may be nothing but a command. */
const commandsIn = (hint: string): readonly string[] =>
  hint.startsWith('holdfast ') ? [hint] : Array.from(hint.matchAll(quoted), ([, command = '']) => command)

function isRepeat(command: string, code: string, { words, config }: CommandLine): boolean {
  // Another configuration leads to another service.
  if (named.test(command) && (config === null || !command.includes(shellWord(config)))) return false
  const asked = plainWords(command.split(' ').slice(1))
  const [first] = words
  // A tenant that did not resume does not by another resume. One that names its configuration ends what this one left.
  const isResume = first === 'resume' && asked.startsWith('resume ') && !named.test(command)
  if (code === 'RESUME_FAILED' && isResume) return true
  const pattern = asked.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\b(?:FILE|ID|DIR|TENANT)\b/g, '(?!--).+')
  return new RegExp(`^${pattern}$`).test(plainWords(words.map(shellWord)))
}

/** Words that say what is done, without those that say how it is told. */
function plainWords(words: readonly string[]): string {
  return words
    .filter(
      (word, i) =>
        !/^--(?:json|quiet|verbose|config|log-level|format)(?:=|$)/.test(word) &&
        !/^--(?:config|log-level|format)$/.test(words[i - 1] ?? ''),
    )
    .join(' ')
}
