import { invisible } from '../diagnosis/command.ts'

/**
 * Makes a name (tenant id, path, name of an object) fit for a terminal: controls, escapes, bidirectional marks, zero-width and unassigned
 * characters, line separators and lone surrogates are spelled out, and backslashes doubled. The result is one line and shows what is there:
 * no two names are printed alike.
 */
export function printable(name: string): string {
  return printableSentence(name.replaceAll('\\', '\\\\'))
}

/** The same for sentences and commands, which may quote names by backslashes already: these stay as they are, to be read or typed. */
export function printableSentence(text: string): string {
  return text.replaceAll(unprintable, (letter) => named[letter] ?? spellOut(letter))
}

const unprintable = new RegExp(invisible, 'gu')
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

function spellOut(letter: string): string {
  const spelled = letter.codePointAt(0) ?? 0
  const code = spelled >= 0xdc80 && spelled <= 0xdcff ? spelled - 0xdc00 : spelled // A byte of a name that is not UTF-8 (host/file-name.ts).
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
