/**
 * Finds out whether a WAL or a rollback journal holds the first page of a database. When SQLite recovers the file, it
 * writes that page into it. So the file is a database then, even if its own first bytes are something else.
 */

import { read32, startsWith } from './bytes.ts'
import { magic } from './header.ts'
import { readJournal, type ReadBytes } from './journal/journal.ts'
import { frameBytesOf, frameHeaderBytes, readWalHeader, walHeaderBytes } from './wal/wal.ts'

/** Reads frames with the salts of the header. Does not verify checksums: SQLite does when it recovers the file. */
export function walHoldsFirstPage(read: ReadBytes): boolean {
  const header = readWalHeader(read(0, walHeaderBytes))
  if (header === null) return false
  for (let at = walHeaderBytes, frame = 0; frame < framesMax; at += frameBytesOf(header), frame++) {
    const start = read(at, frameHeaderBytes + magic.length)
    if (
      start.length < frameHeaderBytes + magic.length ||
      read32(start, 8) !== header.salt1 ||
      read32(start, 12) !== header.salt2
    )
      return false
    if (read32(start, 0) === 1 && startsWith(start.subarray(frameHeaderBytes), magic)) return true
  }
  return false
}

/** Most frames that are read; this takes about a second. */
const framesMax = 1_000_000

export function journalHoldsFirstPage(read: ReadBytes, bytes: number): boolean {
  for (const { page, offset } of readJournal(read, bytes)?.records ?? [])
    if (page === 1) return startsWith(read(offset, magic.length), magic)
  return false
}
