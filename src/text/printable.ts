import { showsAsciiOnly } from './letters.ts'
import { invisible } from './shell-words.ts'

/**
 * Makes a name (tenant id, path, name of an object) fit for a terminal: controls, escapes, bidirectional marks,
 * zero-width and unassigned characters, line separators and lone surrogates are spelled out, and backslashes doubled.
 * The result is one line and shows what is there: no two names are printed alike. In a locale that is not UTF-8 every
 * letter beyond ASCII is spelled out too.
 */
export const printable = (name: string): string => printableSentence(doubled(name))

/**
 * The same for sentences and commands, which may quote names by backslashes already: these stay as they are, to be read
 * or typed.
 */
export function printableSentence(text: string): string {
  const shown = spelledOut(text)
  return showsAsciiOnly()
    ? shown.replaceAll(beyondAscii, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`)
    : shown
}

/** A name for a program that reads UTF-8, whatever the locale. */
export const printableInUtf8 = (name: string): string => spelledOut(doubled(name))

const doubled = (name: string): string => name.replaceAll('\\', '\\\\')
const spelledOut = (text: string): string => text.replaceAll(unprintable, (letter) => named[letter] ?? spellOut(letter))

const beyondAscii = /[^\0-\u007f]/gu
const unprintable = new RegExp(invisible, 'gu')
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

function spellOut(letter: string): string {
  const spelled = letter.codePointAt(0) ?? 0
  // A byte of a name that is not UTF-8 (host/files/file-name.ts).
  const code = spelled >= 0xdc80 && spelled <= 0xdcff ? spelled - 0xdc00 : spelled
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
