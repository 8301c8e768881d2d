/**
 * Measures, wraps and cuts text to a width in columns. All functions expect printable text (printable.ts). README.md
 * says why no library does this.
 */

import { eastAsianWidth } from 'get-east-asian-width'
import { cutMark, inShownLetters } from './letters.ts'

/** The columns that a terminal gives to the text. A mark on the letter before it has no column. */
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

/** A longer word is cut in the middle. No name that people read and no path that Linux accepts is longer. */
const wordMax = { name: 1_024, path: 4_096 } as const
/** A longer command is left out, because a command that was cut could not be typed. */
export const commandMax = 4_096

/** A space that printable text never has. */
const firmSpace = '\u00a0'
/** Keeps the words of a path or a command on one line. */
export const withoutBreaks = (text: string): string => text.replaceAll(' ', firmSpace)
/** The same text with plain spaces, as it is printed. */
export const breakable = (text: string): string => text.replaceAll(firmSpace, ' ')

/** A command within a sentence. */
const quotedCommand = /`[^`]+`/g

/**
 * Breaks the text between words into lines of at most `width` columns; Infinity gives one line. A longer word is not
 * broken, so that a path can be copied: it has its own line.
 * @param laterWidth the width of the lines after the first
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
    command.length > commandMax ? 'a command that is too long to show' : withoutBreaks(command),
  )

/** The word, cut to a length that people can read; a command is not cut. */
function readable(word: string): string {
  return word.startsWith('`') ? word : boundedName(word)
}

/** The name or path, cut only if it is too long to be read. */
export const boundedName = (name: string): string => cutMiddle(name, name.includes('/') ? wordMax.path : wordMax.name)

/** Cuts the middle down to `width` columns, because both ends of a path or an id are needed to recognize it. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width && displayWidth(text) <= width) return text
  const left = width - cutMark().length
  const letters = Array.from(text)
  const tail = takeColumns(letters.toReversed(), Math.floor(left / 2)).toReversed()
  while (tail[0] !== undefined && onLetterBefore.test(tail[0])) tail.shift() // Its letter was cut off.
  const head = takeColumns(letters, left - displayWidth(tail.join('')))
  return `${head.join('')}${cutMark()}${tail.join('')}`
}

/** Cuts the end down to `width` columns. */
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

/** `label  text`: the text is wrapped, and its later lines are indented below its first. */
export function wrapLabelled(
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

/** The lines of a text under a heading. */
export const wrapIndented = (text: string, { width }: { readonly width: number }): readonly string[] =>
  wrap(text, width - 2).map((line) => `  ${line}`)

/** Wraps a sentence that may begin with spaces. The lines after the first are indented by two more columns. */
export function wrapHanging(sentence: string, width: number): readonly string[] {
  const text = sentence.trimStart()
  const indent = sentence.length - text.length
  return wrap(text, width - indent, width - indent - 2).map(
    (line, index) => `${' '.repeat(index === 0 ? indent : indent + 2)}${line}`,
  )
}
