/**
 * Which letters the reader's terminal can show. It is one for the whole program, and set before anything is printed.
 */
let asciiOnly = false

/** @param only true where the locale is not UTF-8: then nothing but ASCII is printed for people */
export function showAsciiOnly(only: boolean): void {
  asciiOnly = only
}

export const showsAsciiOnly = (): boolean => asciiOnly

/** Our own signs in ASCII. */
const inAscii: Readonly<Record<string, string>> = {
  '\u2026': '...',
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u2013': '-',
  '\u2014': '-',
  '\u00b7': '-',
  '\u2192': '->',
  '\u2713': 'ok',
  '\u00b5': 'u',
}

/**
 * Our own text in letters that the terminal can show. Names of others are made printable before. Firm spaces stay
 * (text/layout.ts).
 */
export const inShownLetters = (text: string): string =>
  asciiOnly
    ? text.replaceAll(
        /[^\0-\u007f\u00a0]/gu,
        (letter) => inAscii[letter] ?? `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
      )
    : text

/** What stands where letters were left out. */
export const cutMark = (): string => (asciiOnly ? '...' : '\u2026')
