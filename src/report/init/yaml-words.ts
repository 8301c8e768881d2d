/** Untrusted text in a YAML file that people read. */
import { wrap } from '../../text/layout.ts'
import { printableSentenceInUtf8 } from '../../text/printable.ts'
import { invisible } from '../../text/shell-words.ts'

/** The text in double quotes: one line, in which every letter that cannot be shown is a code. */
export function quotedYaml(text: string): string {
  const letters = Array.from(text, (letter) => {
    if (letter === '"' || letter === '\\') return `\\${letter}`
    if (!invisible.test(letter)) return letter
    const code = letter.codePointAt(0) ?? 0
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${letters.join('')}"`
}

const lineWidth = 100

/** Lines of a comment. No text ends its line early. */
export const comment = (text: string, indent = ''): readonly string[] =>
  wrap(printableSentenceInUtf8(text), lineWidth - indent.length - 2).map((line) => `${indent}# ${line}`)
