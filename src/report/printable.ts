import { invisible } from '../diagnosis/command.ts'
import { showsAsciiOnly } from '../model/letters.ts'

/**
 * Makes untrusted text (tenant ids, paths, names of objects, messages of services) fit for a terminal: controls, escapes, bidirectional marks,
 * zero-width and unassigned characters, line separators and lone surrogates are spelled out. The result is one line and shows what is there.
 * In a locale that is not UTF-8 every letter beyond ASCII is spelled out too.
 */
export function printable(text: string): string {
  const shown = printableInUtf8(text)
  return showsAsciiOnly() ? shown.replaceAll(beyondAscii, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`) : shown
}

/** The same for a program that reads UTF-8, whatever the locale. */
export function printableInUtf8(text: string): string {
  return text.replaceAll(unprintable, (letter) => named[letter] ?? spellOut(letter))
}

const beyondAscii = /[^\0-\u007f]/gu

const unprintable = new RegExp(invisible, 'gu')
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

function spellOut(letter: string): string {
  const spelled = letter.codePointAt(0) ?? 0
  const code = spelled >= 0xdc80 && spelled <= 0xdcff ? spelled - 0xdc00 : spelled // A byte of a name that is not UTF-8 (host/file-name.ts).
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
