/** Prints hints. Their commands ask the same service, and none of them is the command that was just run. */

import { failureKinds, type FailureCode } from '../../model/failure.ts'
import { shellWord } from '../../text/shell-words.ts'

/** The command line of this process. */
export interface CommandLine {
  /** The words after `holdfast`. */
  readonly words: readonly string[]
  /** Absolute path of the configuration that it names; null if it names none. */
  readonly config: string | null
}

/**
 * The command with the configuration of this run. Without it the command would ask another service.
 * @param config null if the command finds the configuration by itself
 */
export const withConfiguration = (command: string, config: string | null): string =>
  config === null || named.test(command)
    ? command
    : command.replace(configured, (words) => `${words} --config ${shellWord(config)}`)

const commands =
  'alerts|backups|bundle|check|compare|doctor|history|pull|reconcile|repair|report|restore|resume|salvage|status|' +
  'sweep|triage|agent|coordinator|fleet [a-z]+'
const configured = new RegExp(`^holdfast (?:${commands})\\b`)
const named = / --config[ =]/

/** The same for commands in backticks within a sentence. */
export const withConfigurations = (sentence: string, config: string | null): string =>
  config === null
    ? sentence
    : sentence.replaceAll(quoted, (_, command: string) => `\`${withConfiguration(command, config)}\``)

const quoted = /`(holdfast [^`]+)`/g

/**
 * The hint to print for a failure.
 * @param hint a sentence, or only a command
 */
export function hintFor({ code, hint }: { readonly code: string; readonly hint: string }, line: CommandLine): string {
  const candidates = [hint, otherwise(code), `\`holdfast explain ${code}\` says more`]
  const chosen =
    candidates.find((one) => one !== '' && !commandsIn(one).some((command) => isRepeat(command, code, line))) ??
    generalHelp
  if (chosen === generalHelp) return helpFor(line)
  return withConfigurations(withConfiguration(chosen, line.config), line.config)
}

const generalHelp = failureKinds.USAGE.hint

/** The help of the command that was typed. */
const helpFor = ({ words: [first] }: CommandLine): string =>
  first !== undefined && /^[a-z]+$/.test(first) ? `see \`holdfast ${first} --help\`` : generalHelp

/**
 * The other hint of a failure; empty if there is none, and for a defect in holdfast (`BUG`), which the table does not
 * have.
 */
const otherwise = (code: string): string =>
  Object.hasOwn(failureKinds, code) ? (failureKinds[code as FailureCode].otherwise ?? '') : ''

/** The commands of a hint, which may be only a command. */
const commandsIn = (hint: string): readonly string[] =>
  hint.startsWith('holdfast ') ? [hint] : Array.from(hint.matchAll(quoted), ([, command = '']) => command)

function isRepeat(command: string, code: string, { words, config }: CommandLine): boolean {
  // Another configuration names another service.
  if (named.test(command) && (config === null || !command.includes(shellWord(config)))) return false
  const asked = plainWords(command.split(' ').slice(1))
  const [first] = words
  // Another resume does not help a tenant that did not resume. A command that names its configuration ends other holds.
  const isResume = first === 'resume' && asked.startsWith('resume ') && !named.test(command)
  if (code === 'RESUME_FAILED' && isResume) return true
  const pattern = asked.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\b(?:FILE|ID|DIR|TENANT)\b/g, '(?!--).+')
  return new RegExp(`^${pattern}$`).test(plainWords(words.map(shellWord)))
}

/** The words of a command without the options for its output. */
function plainWords(words: readonly string[]): string {
  return words
    .filter(
      (word, i) =>
        !/^--(?:json|quiet|verbose|config|log-level|format)(?:=|$)/.test(word) &&
        !/^--(?:config|log-level|format)$/.test(words[i - 1] ?? ''),
    )
    .join(' ')
}
