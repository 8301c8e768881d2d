/**
 * Text of a given width: measuring, wrapping, cutting. All of it expects printable text. Libraries that wrap and cut
 * were tried:
 * `wrap-ansi` composes letters, so that a copied path names another file; `string-width` and `slice-ansi` start the
 * segmenter of ICU, which takes as long as the rest of our start.
 */
import { eastAsianWidth } from 'get-east-asian-width'
import { cutMark, inShownLetters } from './letters.ts'

/** Columns that a terminal gives to the text. Marks that stand on the letter before have none. */
export function displayWidth(text: string): number {
  if (isPlain(text)) return text.length
  let width = 0
  for (const letter of text.replaceAll(skinTone, '')) width += letterWidth(letter)
  return width
}

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text)
const letterWidth = (letter: string): number =>
  onLetterBefore.test(letter) ? 0 : eastAsianWidth(letter.codePointAt(0) ?? 0)
/** Combining marks, and the later parts of a Hangul syllable. */
const onLetterBefore = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u
const skinTone = /(?<=\p{Emoji_Modifier_Base})\p{Emoji_Modifier}/gu

/** Longer words are cut in the middle: no name that people read is longer, and no path that Linux takes. */
const wordMax = { name: 1_024, path: 4_096 } as const
/** Longer commands are left out. Nobody could type what was cut. */
export const commandMax = 4_096

/** A space that printable text never has. */
const firmSpace = '\u00a0'
/** Keeps the words of a path or a command in one line. */
export const unbroken = (text: string): string => text.replaceAll(' ', firmSpace)
/** The same text with plain spaces, as it is printed. */
export const breakable = (text: string): string => text.replaceAll(firmSpace, ' ')

/** A command within a sentence. */
const quotedCommand = /`[^`]+`/g

/**
 * Lines of at most `width` columns, broken between words; Infinity: one line. A word that is longer has a line of its
 * own and is not broken, so that a path can be copied.
 * @param laterWidth of the lines after the first
 */
export function wrap(text: string, width: number, laterWidth = width): readonly string[] {
  const words = unbrokenCommands(inShownLetters(text)).split(' ').map(readable)
  const lines: string[] = []
  let line: string | null = null
  let used = 0
  for (const word of words) {
    if (line === null && word === '' && lines.length > 0) continue
    const columns = displayWidth(word)
    if (line !== null && used + 1 + columns > (lines.length === 0 ? width : laterWidth)) {
      lines.push(line)
      line = null
    }
    used = line === null ? columns : used + 1 + columns
    line = line === null ? word : `${line} ${word}`
  }
  return [...lines, line ?? ''].map((one) => breakable(one).trimEnd())
}

const unbrokenCommands = (text: string): string =>
  text.replaceAll(quotedCommand, (command) =>
    command.length > commandMax ? 'a command that is too long to show' : unbroken(command),
  )

/** A word of a length that people can read. */
function readable(word: string): string {
  return word.startsWith('`') ? word : boundedName(word)
}

/** A name or a path, cut only where nobody could read it. */
export const boundedName = (name: string): string => cutMiddle(name, name.includes('/') ? wordMax.path : wordMax.name)

/** At most `width` columns: the middle goes, because both ends of a path or an id tell it from others. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width && displayWidth(text) <= width) return text
  const room = width - cutMark().length
  const letters = Array.from(text)
  const tail = takeColumns(letters.toReversed(), Math.floor(room / 2)).toReversed()
  while (tail[0] !== undefined && onLetterBefore.test(tail[0])) tail.shift() // Its letter was cut off.
  const head = takeColumns(letters, room - displayWidth(tail.join('')))
  return `${head.join('')}${cutMark()}${tail.join('')}`
}

/** At most `width` columns: the end goes. */
export function cutEnd(text: string, width: number): string {
  return displayWidth(text) <= width
    ? text
    : `${takeColumns(Array.from(text), width - cutMark().length).join('')}${cutMark()}`
}

function takeColumns(letters: readonly string[], columns: number): string[] {
  let used = 0
  const end = letters.findIndex((letter) => (used += letterWidth(letter)) > columns)
  return letters.slice(0, end < 0 ? letters.length : end)
}

/** `label  text`, the text wrapped and indented under itself. */
export function labelled(
  label: string,
  text: string,
  options: { readonly indent: number; readonly labelWidth: number; readonly width: number },
): readonly string[] {
  const indent = ' '.repeat(options.indent)
  const lines = wrap(text, options.width - options.indent - options.labelWidth)
  return lines.map((line, index) =>
    `${indent}${(index === 0 ? label : '').padEnd(options.labelWidth)}${line}`.trimEnd(),
  )
}

/** Lines under a heading. */
export const indented = (text: string, { width }: { readonly width: number }): readonly string[] =>
  wrap(text, width - 2).map((line) => `  ${line}`)

/** A sentence that may begin with spaces: the lines after the first stand two columns further in. */
export function hanging(sentence: string, width: number): readonly string[] {
  const text = sentence.trimStart()
  const indent = sentence.length - text.length
  return wrap(text, width - indent, width - indent - 2).map(
    (line, index) => `${' '.repeat(index === 0 ? indent : indent + 2)}${line}`,
  )
}
