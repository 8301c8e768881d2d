/** Which letters the terminal can show: one setting for the whole program, made before anything is printed. */

let asciiOnly = false

/** @param only true if the locale is not UTF-8: text for people is then plain ASCII */
export function showAsciiOnly(only: boolean): void {
  asciiOnly = only
}

export const showsAsciiOnly = (): boolean => asciiOnly

/** The signs in our own texts, as ASCII. */
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
 * Our own text in letters that the terminal can show. Names from outside were made printable before. Firm spaces stay
 * (layout.ts).
 */
export const inShownLetters = (text: string): string =>
  asciiOnly
    ? text.replaceAll(
        /[^\0-\u007f\u00a0]/gu,
        (letter) => inAscii[letter] ?? `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
      )
    : text

/** The mark in the place of letters that were cut. */
export const cutMark = (): string => (asciiOnly ? '...' : '\u2026')
