/**
 * The rollback journal (SQLite file format, section 3) and the trailer that names a super-journal (pager.c, writeSuperJournal):
 *
 *   … page number of the lock-byte page (4) · name · length of the name (4) · sum of its bytes (4) · magic (8)
 */
import { read32, startsWith } from './bytes.ts'

const magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7] as const
/** Longest name that SQLite reads is its longest path; this is far above it. */
const nameBytesMax = 65_536

/**
 * Would SQLite roll this journal back into the database when it opens it? Give it the first 28 bytes or more.
 * A journal that was ended by zeroing its header (journal_mode=PERSIST) or by cutting it (TRUNCATE) is not hot.
 */
export function isHot(header: Uint8Array, size: number): boolean {
  return size >= 28 && startsWith(header, magic)
}

/** Bytes that the database had before the transaction of this journal; 0 where its header tells none. */
export function bytesBefore(header: Uint8Array): number {
  return isHot(header, header.length) ? read32(header, 16) * read32(header, 24) : 0
}

/**
 * Name of the super-journal in the trailer, or null. Give it the last few KB of the journal, or all of it.
 * Whoever lets SQLite open a snapshot with such a journal lets it look at, and delete, the live super-journal by its absolute path.
 */
export function superJournalName(lastBytes: Uint8Array): string | null {
  const end = lastBytes.length
  if (end < 17 || !startsWith(lastBytes.subarray(end - 8), magic)) return null
  const length = read32(lastBytes, end - 16)
  if (length === 0 || length > nameBytesMax || length > end - 16) return null
  const name = lastBytes.subarray(end - 16 - length, end - 16)
  const sum = read32(lastBytes, end - 12)
  // C's char is signed on x86 and unsigned on arm: SQLite itself sums differently there. Either is a name.
  let signed = 0
  let unsigned = 0
  for (const byte of name) {
    unsigned = (unsigned + byte) | 0
    signed = (signed + (byte > 127 ? byte - 256 : byte)) | 0
  }
  if (signed >>> 0 !== sum && unsigned >>> 0 !== sum) return null
  return new TextDecoder().decode(name)
}
