import { invisible } from './shell-words.ts'

/**
 * JSON in letters that a terminal shows as they are. What it would obey or not show (controls, bidirectional marks,
 * format characters) is written as `\uXXXX`: the document has the same value. Ids, paths and names are untrusted text.
 * @param space columns of each level; 0 for one line
 */
export function jsonText(value: unknown, space = 2): string {
  const text = JSON.stringify(value, null, space)
  return plain.test(text) ? text : text.replaceAll(hidden, spellOut)
}

const plain = /^[\n\x20-\x7e]*$/
/** Line feeds stand between the values only: in a text they are escaped already. */
const hidden = new RegExp(`(?!\\n)(?:${invisible.source})`, 'gu')

/** A letter beyond the basic plane is written as its two halves. */
const spellOut = (letter: string): string =>
  Array.from(letter.split(''), (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
