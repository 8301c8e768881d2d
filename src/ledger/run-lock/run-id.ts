import { randomBytes } from 'node:crypto'
import type { RunId } from '../../model/brand.ts'

/**
 * Crockford's alphabet: without I, L, O and U an id can be read aloud without mistakes. Its order is that of ASCII, so
 * that ids sort by time.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeLength = 10
const randomLength = 16

/**
 * A new id: 26 letters that sort by time to the millisecond, with 80 random bits.
 * @param now in ms since 1970
 * @param bytes at least 16 random bytes; the same time and bytes make the same id
 */
export function newRunId(now: number = Date.now(), bytes: Uint8Array = randomBytes(randomLength)): RunId {
  return (timeText(now) + randomText(bytes)) as RunId
}

/** When this id was made, in ms since 1970. */
export const timeOfRunId = (id: string): number =>
  Array.from(id.slice(0, timeLength)).reduce((ms, letter) => ms * alphabet.length + alphabet.indexOf(letter), 0)

function timeText(ms: number): string {
  let rest = Math.trunc(ms)
  let text = ''
  for (let place = 0; place < timeLength; place += 1) {
    text = alphabet.charAt(rest % alphabet.length) + text
    rest = Math.floor(rest / alphabet.length)
  }
  return text
}

function randomText(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, randomLength), (byte) => alphabet.charAt(byte % alphabet.length)).join('')
}
