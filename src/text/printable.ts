import { showsAsciiOnly } from './letters.ts'
import { invisible } from './shell-words.ts'

/**
 * Makes a name (tenant id, path, name of an object) safe for a terminal. Controls, escapes, bidirectional marks,
 * zero-width and unassigned characters, line separators and lone surrogates are written as codes, and backslashes are
 * doubled. The result is one line, and no two names give the same result. In a locale that is not UTF-8 all letters
 * beyond ASCII are written as codes too.
 */
export const printable = (name: string): string => printableSentence(doubleBackslashes(name))

/**
 * The same for sentences and commands. They may contain backslashes that already quote a name: these are not doubled,
 * so that a command can be typed as it is printed.
 */
export function printableSentence(text: string): string {
  const shown = spellOutLetters(text)
  return showsAsciiOnly()
    ? shown.replaceAll(beyondAscii, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`)
    : shown
}

/** The lines of a message, such as that of a wrong configuration, as one sentence. */
export const joinedLines = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .join('; ')

/** The same as `printable` for a program that reads UTF-8, in any locale. */
export const printableInUtf8 = (name: string): string => spellOutLetters(doubleBackslashes(name))

/** The same as `printableSentence` for a program that reads UTF-8, in any locale. */
export const printableSentenceInUtf8 = (text: string): string => spellOutLetters(text)

const doubleBackslashes = (name: string): string => name.replaceAll('\\', '\\\\')
const spellOutLetters = (text: string): string =>
  text.replaceAll(unprintable, (letter) => named[letter] ?? spellOut(letter))

const beyondAscii = /[^\0-\u007f]/gu
const unprintable = new RegExp(invisible, 'gu')
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

function spellOut(letter: string): string {
  const spelled = letter.codePointAt(0) ?? 0
  // A byte of a name that is not UTF-8 (model/file-name.ts).
  const code = spelled >= 0xdc80 && spelled <= 0xdcff ? spelled - 0xdc00 : spelled
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
