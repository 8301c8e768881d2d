/** Recognises the files of SQLite by their first bytes. */

import { read32, startsWith } from './bytes.ts'
import { magic } from './header.ts'

/** Enough to recognise each of them. */
export const liveSetMagicBytes = 16

const journalMagic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7] as const
const walMagics: readonly number[] = [0x377f0682, 0x377f0683]
/** A wal-index begins with its version, 3007000, in the byte order of its machine. */
const walIndexBegins = [
  [0x18, 0xe2, 0x2d, 0x00],
  [0x00, 0x2d, 0xe2, 0x18],
] as const

/** True for a database, a WAL, a rollback journal whose header is not zeroed, and a wal-index. */
export function hasLiveSetMagic(first: Uint8Array): boolean {
  if (startsWith(first, magic) || startsWith(first, journalMagic)) return true
  if (walIndexBegins.some((begin) => startsWith(first, begin))) return true
  return first.length >= 4 && walMagics.includes(read32(first, 0))
}
