/**
 * Child side: splits SQL into tokens, precisely enough to find names, strings and brackets (SQLite documentation, "SQL
 * As Understood By SQLite").
 */

export interface Token {
  readonly text: string
  /** Positions in the text: of the first character, and behind the last. */
  readonly from: number
  readonly to: number
}

const quoted = [/"(?:[^"]|"")*"/, /'(?:[^']|'')*'/, /`(?:[^`]|``)*`/, /\[[^\]]*\]/]
const comments = [/--[^\n]*/, /\/\*[\s\S]*?(?:\*\/|$)/]
const blanks = /[ \t\n\f\r]+/
const words = /[\w$\u0080-\uffff]+/
const anyCharacter = /[\s\S]/
const tokenPattern = new RegExp(
  [...quoted, ...comments, blanks, words, anyCharacter].map(({ source }) => source).join('|'),
  'g',
)

/** All tokens except blanks and comments, in their order. */
export function tokensOf(sql: string): readonly Token[] {
  return Array.from(sql.matchAll(tokenPattern), (match) => ({
    text: match[0],
    from: match.index,
    to: match.index + match[0].length,
  })).filter(({ text }) => !/^(?:[ \t\n\f\r]|--|\/\*)/.test(text))
}

/** For comparing names as SQLite does: it ignores the case of ASCII letters. */
export const foldedName = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** A name or string without its quotes. */
export function unquote(text: string): string {
  const mark = text[0] ?? ''
  if (mark === '[') return text.slice(1, -1)
  return mark === '"' || mark === "'" || mark === '`' ? text.slice(1, -1).replaceAll(mark + mark, mark) : text
}

export const isDoubleQuoted = (text: string): boolean => text.length >= 2 && text.startsWith('"') && text.endsWith('"')

/** The same SQL without comments, and with one blank instead of any space: for statements that people type. */
export function onOneLine(sql: string): string {
  let end = 0
  return tokensOf(sql).reduce((line, { text, from, to }) => {
    const blank = line !== '' && from > end ? ' ' : ''
    end = to
    return line + blank + text
  }, '')
}
