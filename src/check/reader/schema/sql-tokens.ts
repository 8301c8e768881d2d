/**
 * Child side: the text of SQL in tokens, as far as it takes to find names, strings and brackets (SQLite documentation,
 * "SQL As Understood By SQLite").
 */

export interface Token {
  readonly text: string
  /** Positions in the text: from the first character to behind the last. */
  readonly from: number
  readonly to: number
}

/** Quoted names and strings, comments and blanks, words and numbers, single marks. */
const tokenPattern =
  /"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[ \t\n\f\r]+|[\w$\u0080-\uffff]+|[\s\S]/g

/** All tokens but blanks and comments, in their order. */
export function tokensOf(sql: string): readonly Token[] {
  return Array.from(sql.matchAll(tokenPattern), (match) => ({
    text: match[0],
    from: match.index,
    to: match.index + match[0].length,
  })).filter(({ text }) => !/^(?:[ \t\n\f\r]|--|\/\*)/.test(text))
}

/** SQLite compares names without regard to the case of ASCII letters. */
export const foldedName = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** A name or string without its quotes. */
export function unquoted(text: string): string {
  const mark = text[0] ?? ''
  if (mark === '[') return text.slice(1, -1)
  return mark === '"' || mark === "'" || mark === '`' ? text.slice(1, -1).replaceAll(mark + mark, mark) : text
}

export const isDoubleQuoted = (text: string): boolean => text.length >= 2 && text.startsWith('"') && text.endsWith('"')

/** The same SQL without comments, and with one blank wherever there was any space: for statements that people type. */
export function onOneLine(sql: string): string {
  let end = 0
  return tokensOf(sql).reduce((line, { text, from, to }) => {
    const blank = line !== '' && from > end ? ' ' : ''
    end = to
    return line + blank + text
  }, '')
}
