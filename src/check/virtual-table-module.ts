/** Name of the module in `CREATE VIRTUAL TABLE name USING module(…)`; null where the text is none. Names may be quoted, and hold anything then. */
export function moduleOf(sql: string): string | null {
  const words = /\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|[.()]|[^\s"'`[\]().]+)/y
  const next = (): string | null => words.exec(sql)?.[1] ?? null
  for (let word = next(), count = 0; word !== null && count < 12; word = next(), count++) {
    if (word.toLowerCase() !== 'using') continue
    const name = next()
    return name === null ? null : unquoted(name)
  }
  return null
}

function unquoted(word: string): string {
  const mark = word[0] ?? ''
  if (mark === '[') return word.slice(1, -1)
  return mark === '"' || mark === "'" || mark === '`' ? word.slice(1, -1).replaceAll(mark + mark, mark) : word
}
