/**
 * Commands for people to copy: quoted so that a shell passes exactly these bytes, whatever a tenant or a file is
 * called.
 */
import type { TenantId } from '../model/brand.ts'
import { showsAsciiOnly } from './letters.ts'

/**
 * One shell word of printable characters. Plain words stay as they are, others go in single quotes; control characters,
 * bidirectional marks and other invisibles in `$'…'` (POSIX 2024, bash, zsh, ksh), byte by byte, so that the line can
 * be shown and copied. The same for every letter that the terminal cannot show.
 */
export function shellWord(text: string): string {
  if (/^[\w@:,./-]+$/.test(text)) return text
  const hidden = showsAsciiOnly() ? invisibleInAscii : invisible
  if (!hidden.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`
  const escaped = Array.from(text, (letter) => {
    if (letter === '\\' || letter === "'") return `\\${letter}`
    if (!hidden.test(letter)) return letter
    return Array.from(bytesOf(letter), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
  // \xHH takes at most two digits in bash and zsh, and more in some other shells: a digit that follows would be
  // swallowed, so the quote is reopened.
  return `$'${escaped.join('').replaceAll(/(\\x[0-9a-f]{2})(?=[0-9a-fA-F])/g, "$1'$$'")}'`
}

/** A lone surrogate is a byte of a name that is not UTF-8 (host/files/file-name.ts). */
function bytesOf(letter: string): Iterable<number> {
  const code = letter.codePointAt(0) ?? 0
  return code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : new TextEncoder().encode(letter)
}

/**
 * Letters that a terminal obeys or does not show: control, format (bidi, zero width), surrogates, private use,
 * unassigned; line and paragraph separators; spaces other than the plain one; variation selectors, fillers and the
 * empty braille cell. Reports spell them out (text/printable.ts).
 */
export const invisible = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}|\u2800/u
const invisibleInAscii = /[^ -~]/u

/** `--tenant ID` or the file, as the last words of a command. */
export function target(tenant: TenantId | null, path: string): string {
  if (tenant !== null) return tenant.startsWith('-') ? `--tenant=${shellWord(tenant)}` : `--tenant ${shellWord(tenant)}`
  return shellWord(path.startsWith('-') ? `./${path}` : path)
}
