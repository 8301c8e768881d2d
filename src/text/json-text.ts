import { invisible } from './shell-words.ts'

/**
 * JSON that is safe on a terminal. Letters that a terminal obeys or does not show (controls, bidirectional marks,
 * format characters) are written as `\uXXXX`: the document keeps its value. Ids, paths and names are untrusted text.
 * @param space columns of each level; 0 gives one line
 */
export function jsonText(value: unknown, space = 2): string {
  const text = JSON.stringify(value, null, space)
  return plain.test(text) ? text : text.replaceAll(hidden, spellOut)
}

const plain = /^[\n\x20-\x7e]*$/
/** A line feed only stands between values: inside of a text it is escaped already. */
const hidden = new RegExp(`(?!\\n)(?:${invisible.source})`, 'gu')

/** A letter beyond the basic plane is written as its two halves. */
const spellOut = (letter: string): string =>
  Array.from(letter.split(''), (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

/** The value of untrusted text; null if the text is no JSON. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
