/**
 * The rollback journal (SQLite file format, section 3) and the trailer that names a super-journal (pager.c,
 * writeSuperJournal):
 *
 *   … page number of the lock-byte page (4) · name · length of the name (4) · sum of its bytes (4) · magic (8)
 */

import { read32, startsWith } from '../bytes.ts'

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

/** Up to `length` bytes at `offset`; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Uint8Array

/** A page image in a journal: what the page was before the transaction. */
export interface JournalRecord {
  /** 0 where the journal ends within it, and where there is none: SQLite goes no further than that. */
  readonly page: number
  /** Byte offset of the image in the journal. */
  readonly offset: number
  /** With what its checksum begins. */
  readonly nonce: number
  /** True if the header counts it: then it was synced before the page was written into the database. */
  readonly counted: boolean
}

export interface JournalContents {
  /** Bytes. */
  readonly pageSize: number
  /** Pages of the database before the transaction: rolling back cuts the file to them. */
  readonly pageCount: number
  readonly records: Iterable<JournalRecord>
}

/**
 * What a hot journal holds (section 3), in the order in which SQLite rolls it back. Checksums are not verified: SQLite
 * stops at a record whose checksum is wrong, so it writes these pages or fewer.
 * @param read the bytes at an offset, or fewer at the end of the journal
 * @returns null where SQLite takes nothing from it
 */
export function readJournal(read: ReadBytes, size: number): JournalContents | null {
  const first = read(0, journalHeaderBytes)
  if (!isHot(first, size)) return null
  const sectorSize = read32(first, 20)
  const pageSize = read32(first, 24)
  if (!isPowerOfTwo(pageSize, 512, 65_536) || !isPowerOfTwo(sectorSize, 32, 65_536)) return null
  return { pageSize, pageCount: read32(first, 16), records: records(read, size, { pageSize, sectorSize }) }
}

const journalHeaderBytes = 28

interface Sizes {
  readonly pageSize: number
  readonly sectorSize: number
}

/**
 * Segments, each with a header that fills a sector. A new one begins when the cache is written out in the transaction.
 */
function* records(read: ReadBytes, size: number, { pageSize, sectorSize }: Sizes): Generator<JournalRecord> {
  const recordBytes = 4 + pageSize + 4
  for (let at = 0; at + sectorSize <= size;) {
    const header = read(at, journalHeaderBytes)
    if (!startsWith(header, magic)) return
    const said = read32(header, 8)
    at += sectorSize
    // Written without syncs: then all that there is counts.
    const count = said === 0xffff_ffff ? Math.floor((size - at) / recordBytes) : said
    const [nonce, counted] = [read32(header, 12), said !== 0xffff_ffff]
    for (let i = 0; i < count; i++, at += recordBytes) {
      const whole = at + recordBytes <= size
      const page = whole ? read32(read(at, 4), 0) : 0
      yield { page, offset: at + 4, nonce, counted }
      if (page === 0) return
    }
    at = Math.ceil(at / sectorSize) * sectorSize
  }
}

/**
 * Was this the header of a hot journal? Either the magic or the sizes are still right. SQLite then leaves the
 * transaction half done.
 * Of a journal that was ended the header is zeros; noise has neither.
 */
export function isDestroyedJournal(header: Uint8Array, size: number): boolean {
  if (size < 512 || header.length < journalHeaderBytes || header[0] === 0) return false
  const sizes = isPowerOfTwo(read32(header, 24), 512, 65_536) && isPowerOfTwo(read32(header, 20), 32, 65_536)
  return startsWith(header, magic) ? !sizes : sizes
}

const isPowerOfTwo = (value: number, least: number, most: number): boolean =>
  value >= least && value <= most && (value & (value - 1)) === 0

/**
 * Name of the super-journal in the trailer, or null. Give it the last few KB of the journal, or all of it. Whoever lets
 * SQLite open a snapshot with such a journal lets it look at, and delete, the live super-journal by its absolute path.
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
