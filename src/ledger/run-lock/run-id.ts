import { randomBytes } from 'node:crypto'
import type { RunId } from '../../model/brand.ts'

/**
 * Crockford's alphabet: no I, L, O, U, so that an id survives being read aloud at night. Ascending in ASCII, so that
 * text order is time order.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeLength = 10
const randomLength = 16

/**
 * A new run's id: 26 letters, sortable by time to the millisecond, 80 random bits after that. `now` in ms since 1970.
 */
export function newRunId(now: number = Date.now()): RunId {
  return (timeText(now) + randomText()) as RunId
}

function timeText(ms: number): string {
  let rest = Math.trunc(ms)
  let text = ''
  for (let place = 0; place < timeLength; place += 1) {
    text = alphabet.charAt(rest % alphabet.length) + text
    rest = Math.floor(rest / alphabet.length)
  }
  return text
}

function randomText(): string {
  return Array.from(randomBytes(randomLength), (byte) => alphabet.charAt(byte % alphabet.length)).join('')
}
