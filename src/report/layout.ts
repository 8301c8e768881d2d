/** Text of a given width: measuring, wrapping, cutting. All of it expects printable text. */

/** Columns that a terminal gives to the text. Marks other than the common accents count as one: rather too wide than over the edge. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const letter of text) width += accent.test(letter) ? 0 : wide.test(letter) ? 2 : 1
  return width
}

const accent = /[\u0300-\u036f]/
const wide = /[\p{Emoji_Presentation}\u1100-\u115f\u231a-\u231b\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** Lines of at most `width` columns, broken between words; a word that is too long is broken where it must. */
export function wrap(text: string, width: number): readonly string[] {
  const room = Math.max(width, 2)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (displayWidth(longer) <= room) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = breakWord(word, room)
    lines.push(...pieces.slice(0, -1))
    line = pieces.at(-1) ?? ''
  }
  lines.push(line)
  return lines
}

function breakWord(word: string, width: number): readonly string[] {
  const pieces: string[] = []
  let piece = ''
  let used = 0
  for (const letter of word) {
    const columns = displayWidth(letter)
    if (used + columns > width) {
      pieces.push(piece)
      piece = ''
      used = 0
    }
    piece += letter
    used += columns
  }
  return [...pieces, piece]
}

/** At most `width` columns: the middle goes, because both ends of a path or an id tell it from others. */
export function cutMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  const letters = Array.from(text)
  const tail = takeColumns(letters.toReversed(), Math.floor((width - 1) / 2)).toReversed()
  const head = takeColumns(letters, width - 1 - displayWidth(tail.join('')))
  return `${head.join('')}…${tail.join('')}`
}

/** At most `width` columns: the end goes. */
export function cutEnd(text: string, width: number): string {
  return displayWidth(text) <= width ? text : `${takeColumns(Array.from(text), width - 1).join('')}…`
}

function takeColumns(letters: readonly string[], columns: number): readonly string[] {
  let used = 0
  const end = letters.findIndex((letter) => (used += displayWidth(letter)) > columns)
  return end < 0 ? letters : letters.slice(0, end)
}

/** `label  text`, the text wrapped and indented under itself. */
export function labelled(label: string, text: string, options: { readonly indent: number; readonly labelWidth: number; readonly width: number }): readonly string[] {
  const indent = ' '.repeat(options.indent)
  const lines = wrap(text, options.width - options.indent - options.labelWidth)
  return lines.map((line, index) => `${indent}${(index === 0 ? label : '').padEnd(options.labelWidth)}${line}`.trimEnd())
}
