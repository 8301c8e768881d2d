/** Bit rot, as far as a program can make it: bytes of a file change, but its time of last change does not. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'

/** Flips one bit of the first `text` in the file. @returns the number of its page */
export function rot(path: string, text: string, pageSize = 4096): number {
  const reference = `${path}-reference`
  writeFileSync(reference, '')
  // Not utimes, which rounds the nanoseconds.
  execFileSync('touch', ['-r', path, reference])
  const page = flipBit(path, text, pageSize)
  execFileSync('touch', ['-r', reference, path])
  rmSync(reference)
  return page
}

/** Flips the bit as a program would that writes to the file without SQLite: its time of last change changes too. */
export function flipBit(path: string, text: string, pageSize = 4096): number {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(text)
  if (at < 0) throw new Error(`${text} does not stand in ${path}`)
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of((bytes[at] ?? 0) ^ 1), 0, 1, at)
  closeSync(file)
  return Math.floor(at / pageSize) + 1
}
