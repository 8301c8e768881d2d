/**
 * Commands of the configuration in sentences. Sentences get into alarms, reports and bundles, and an argument may be a
 * secret: what is not known to be harmless is not shown.
 */

const mask = '…'

/** The command as JSON, with its program and with what stands for a placeholder. @see shownAt */
export const maskedCommand = (command: readonly string[], template = command): string =>
  JSON.stringify(command.map((word, at) => (shownAt(word, at, template) ? word : mask)))

/**
 * The words of `text` that tell none of the arguments: a command may quote them on stderr, or the address that it sends
 * to.
 * @param template the command with its placeholders: what stands for them is no secret
 */
export function withoutSecrets(text: string, command: readonly string[], template = command): string {
  const hidden = command.filter((word, at) => !shownAt(word, at, template))
  const secrets = [...new Set(hidden.flatMap((word) => [word, valueOf(word)]))]
    .filter((word) => word.length > lettersShown)
    .toSorted((one, other) => other.length - one.length)
  const masked = secrets.reduce((left, word) => left.replaceAll(word, mask), text)
  return withoutCutSecrets(masked, secrets).replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)\S+/gi, `$1${mask}`)
}

/** So many letters tell nothing. */
const lettersShown = 3

/** The program is no secret, nor is `{tenant}` or `--tenant={tenant}` with a tenant in it. */
const shownAt = (word: string, at: number, template: readonly string[]): boolean =>
  at === 0 || word.length <= lettersShown || /^(?:--?[\w-]+=)?\{\w+\}$/.test(template[at] ?? '')

/** `x` of `--token=x`: a command may quote it alone. */
const valueOf = (word: string): string => word.slice(word.indexOf('=') + 1)

/** Only a part of a long line is kept: its first word may be the end of a secret, and its last one the beginning. */
function withoutCutSecrets(text: string, secrets: readonly string[]): string {
  const longest = (isCut: (length: number, word: string) => boolean): number =>
    Math.max(0, ...secrets.map((word) => lengthsOf(word).findLast((length) => isCut(length, word)) ?? 0))
  const atStart = longest((length, word) => text.startsWith(word.slice(-length)))
  const rest = atStart === 0 ? text : `${mask}${text.slice(atStart)}`
  const atEnd = longest((length, word) => rest.endsWith(word.slice(0, length)))
  return atEnd === 0 ? rest : `${rest.slice(0, -atEnd)}${mask}`
}

/** How much of a word may be left of it, and tell something. */
const lengthsOf = (word: string): readonly number[] =>
  Array.from({ length: word.length - lettersShown - 1 }, (_, at) => at + lettersShown + 1)
