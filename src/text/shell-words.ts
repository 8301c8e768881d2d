/** Quotes words of commands that people copy: a shell passes exactly these bytes, for any name of a tenant or file. */

import type { TenantId } from '../model/brand.ts'
import { showsAsciiOnly } from './letters.ts'

/**
 * One shell word of printable characters. A plain word stays as it is; others are put in single quotes. A word with
 * control characters, bidirectional marks or other invisible letters becomes `$'…'` (POSIX 2024, bash, zsh, ksh) with
 * these letters byte by byte. So the line can be shown and copied. The same is done for every letter that the terminal
 * cannot show.
 */
export function shellWord(text: string): string {
  if (/^[\w@:,./-]+$/.test(text)) return text
  const hidden = showsAsciiOnly() ? invisibleInAscii : invisible
  if (!hidden.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`
  const escaped = Array.from(text, (letter) => {
    if (letter === '\\' || letter === "'") return `\\${letter}`
    if (!hidden.test(letter)) return letter
    return Array.from(bytesOfLetter(letter), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
  // \xHH has at most two digits in bash and zsh, and more in some other shells. They would read a digit that follows as
  // part of it, so the quote is closed and opened again.
  return `$'${escaped.join('').replaceAll(/(\\x[0-9a-f]{2})(?=[0-9a-fA-F])/g, "$1'$$'")}'`
}

/** The bytes of a letter. A lone surrogate stands for a byte of a name that is not UTF-8 (model/file-name.ts). */
export function bytesOfLetter(letter: string): Iterable<number> {
  const code = letter.codePointAt(0) ?? 0
  return code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : new TextEncoder().encode(letter)
}

/**
 * Letters that a terminal obeys or does not show: control, format (bidirectional, zero width), surrogates, private use,
 * unassigned; line and paragraph separators; spaces other than the plain one; variation selectors, fillers and the
 * empty braille cell. Reports write them as codes (printable.ts).
 */
export const invisible = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}|\u2800/u
const invisibleInAscii = /[^ -~]/u

/** The id of a tenant as the last words of a command. One that begins with a dash would be taken for an option. */
export const tenantWord = (tenant: string): string => `${tenant.startsWith('-') ? '-- ' : ''}${shellWord(tenant)}`

/** `--tenant ID` or the file, as the last words of a command. */
export function targetWords(tenant: TenantId | null, path: string): string {
  if (tenant !== null) return tenant.startsWith('-') ? `--tenant=${shellWord(tenant)}` : `--tenant ${shellWord(tenant)}`
  return shellWord(path.startsWith('-') ? `./${path}` : path)
}
